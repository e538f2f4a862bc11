//! Counts the items of a batch without decoding them: on the wire one may have two bytes, and a hundred times as many once it is decoded.

use prost::encoding::{DecodeContext, WireType, decode_key, skip_field};

/// The field that has the items, in all requests for batches.
const ITEMS: u32 = 1;

/// How many items the message has, whatever else is in it, up to where it cannot be read.
pub(in crate::service) fn count_items(mut message: &[u8]) -> usize {
    let mut count = 0;
    while let Ok((field, wire_type)) = decode_key(&mut message) {
        if skip_field(wire_type, field, &mut message, DecodeContext::default()).is_err() {
            break;
        }
        count += usize::from(field == ITEMS && wire_type == WireType::LengthDelimited);
    }
    count
}

#[cfg(test)]
mod tests {
    use baton_proto::v1;
    use prost::Message as _;

    use super::count_items;

    #[test]
    fn items_are_counted_whatever_is_between_them_and_up_to_what_cannot_be_read() {
        let items = vec![v1::CreateTaskRequest { task_id: "t".into(), ..Default::default() }; 3];
        let three = v1::BatchCreateTasksRequest { items, namespace: "north".into() }.encode_to_vec();
        let item = &[0x0a, 0][..];
        for (what, message, count) in [
            ("nothing", vec![], 0),
            ("three", three, 3),
            ("empty ones", item.repeat(5), 5),
            ("numbers", [item, &[0x18, 0x96, 0x01], &[0x21, 1, 2, 3, 4, 5, 6, 7, 8], item].concat(), 2),
            ("a group with items of its own", [item, &[0x1b], item, &[0x1c], item].concat(), 2),
            ("items of another type", [item, &[0x08, 1], item].concat(), 2),
            ("a group that does not end", [item, &[0x1b], item].concat(), 1),
            ("one that is cut off", [item, &[0x0a, 2, 0]].concat(), 1),
            ("no key", [item, &[0x07], item].concat(), 1),
        ] {
            assert_eq!(count_items(&message), count, "{what}");
        }
    }
}
