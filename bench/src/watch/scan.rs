//! Reads what the benchmarks need off an encoded WatchHandoffsResponse, without taking it apart: how many events, which revisions, which times.
//!
//! Numbers of fields are those of `proto/baton/v1/handoff.proto` and `handoff_service.proto`; a test holds them to it.

use bytes::{Buf, Bytes};
use prost::{
    DecodeError,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};

use crate::failure::Failure;

/// `WatchHandoffsResponse.events`.
const RESPONSE_EVENTS: u32 = 1;
/// `HandoffEvent.revision`.
const EVENT_REVISION: u32 = 1;
/// `HandoffEvent.timestamp`.
const EVENT_TIMESTAMP: u32 = 2;
/// `Timestamp.seconds`.
const TIMESTAMP_SECONDS: u32 = 1;
/// `Timestamp.nanos`.
const TIMESTAMP_NANOS: u32 = 2;

/// What is read of one event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its revision.
    pub revision: u64,
    /// When it was recorded, in microseconds since 1970.
    pub timestamp_us: u64,
}

/// How many events a message has.
///
/// # Errors
/// It is not a message.
pub(crate) fn count_events(message: &Bytes) -> Result<u64, Failure> {
    let mut count = 0;
    each_field(message.clone(), |field, wire, rest| {
        count += u64::from(field == RESPONSE_EVENTS);
        skip_field(wire, field, rest, DecodeContext::default())
    })?;
    Ok(count)
}

/// Shows each event of a message to `see`, in order.
///
/// # Errors
/// It is not a message.
pub(crate) fn each_event(message: &Bytes, mut see: impl FnMut(Event)) -> Result<(), Failure> {
    each_field(message.clone(), |field, wire, rest| {
        if field != RESPONSE_EVENTS {
            return skip_field(wire, field, rest, DecodeContext::default());
        }
        see(event(inner(rest)?)?);
        Ok(())
    })
}

fn event(bytes: Bytes) -> Result<Event, DecodeError> {
    let mut event = Event::default();
    fields(bytes, |field, wire, rest| {
        match field {
            EVENT_REVISION => event.revision = decode_varint(rest)?,
            EVENT_TIMESTAMP => event.timestamp_us = timestamp_us(inner(rest)?)?,
            _ => skip_field(wire, field, rest, DecodeContext::default())?,
        }
        Ok(())
    })?;
    Ok(event)
}

fn timestamp_us(bytes: Bytes) -> Result<u64, DecodeError> {
    let (mut seconds, mut nanos) = (0, 0);
    fields(bytes, |field, wire, rest| {
        match field {
            TIMESTAMP_SECONDS => seconds = decode_varint(rest)?,
            TIMESTAMP_NANOS => nanos = decode_varint(rest)?,
            _ => skip_field(wire, field, rest, DecodeContext::default())?,
        }
        Ok(())
    })?;
    Ok(seconds * 1_000_000 + nanos / 1_000)
}

/// Takes the message that a field holds.
fn inner(rest: &mut Bytes) -> Result<Bytes, DecodeError> {
    let length = decode_varint(rest)?;
    match usize::try_from(length) {
        Ok(length) if length <= rest.len() => Ok(rest.split_to(length)),
        // Asks for more than there is, which is the error that it is.
        _ => decode_varint(&mut Bytes::new()).map(|_| Bytes::new()),
    }
}

fn each_field(
    bytes: Bytes,
    see: impl FnMut(u32, WireType, &mut Bytes) -> Result<(), DecodeError>,
) -> Result<(), Failure> {
    fields(bytes, see).map_err(|error| Failure::new(format!("a message of a watch cannot be read: {error}")))
}

fn fields(
    mut bytes: Bytes,
    mut see: impl FnMut(u32, WireType, &mut Bytes) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    while bytes.has_remaining() {
        let (field, wire) = decode_key(&mut bytes)?;
        see(field, wire, &mut bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use baton_proto::v1::{Handoff, HandoffEvent, WatchHandoffsResponse};
    use bytes::Bytes;
    use prost::Message as _;
    use prost_types::Timestamp;

    use super::{Event, count_events, each_event};

    fn message() -> Bytes {
        let event = |revision: u64| HandoffEvent {
            revision,
            timestamp: Some(Timestamp { seconds: 1_800_000_000, nanos: 123_456_000 }),
            handoff: Some(Handoff { task_id: "t".repeat(300), ..Default::default() }),
            ..Default::default()
        };
        let response = WatchHandoffsResponse {
            events: vec![event(41), event(42)],
            revision: 42,
            log_id: "log".into(),
            ..Default::default()
        };
        response.encode_to_vec().into()
    }

    #[test]
    fn what_is_read_is_what_the_contract_says() {
        let mut seen = Vec::new();
        each_event(&message(), |event| seen.push(event)).expect("it is a message");
        let timestamp_us = 1_800_000_000_123_456;
        assert_eq!(seen, [41, 42].map(|revision| Event { revision, timestamp_us }));
        assert_eq!(count_events(&message()).expect("it is a message"), 2);
        assert_eq!(count_events(&Bytes::new()).expect("progress has no events"), 0);
    }

    #[test]
    fn a_message_that_is_cut_off_is_no_message() {
        let message = message();
        let cut = message.slice(..message.len() / 2);
        assert!(count_events(&cut).is_err());
        assert!(each_event(&cut, |_| {}).is_err());
    }
}
