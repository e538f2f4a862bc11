//! Reads what the benchmarks need off an encoded WatchHandoffsResponse, without taking it apart: how many events, which revisions, which times.
//!
//! Numbers of fields are those of `proto/baton/v1/handoff.proto` and `handoff_service.proto`; a test holds them to it.

use prost::{DecodeError, encoding::decode_varint};

use crate::{
    failure::Failure,
    fields::{fields, inner, skip},
};

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
pub(crate) fn count_events(message: &[u8]) -> Result<u64, Failure> {
    let mut count = 0;
    fields(message, |field, wire, rest| {
        count += u64::from(field == RESPONSE_EVENTS);
        skip(field, wire, rest)
    })
    .map_err(unreadable)?;
    Ok(count)
}

/// Shows each event of a message to `see`, in order.
///
/// # Errors
/// It is not a message.
pub(crate) fn each_event(message: &[u8], mut see: impl FnMut(Event)) -> Result<(), Failure> {
    fields(message, |field, wire, rest| {
        if field != RESPONSE_EVENTS {
            return skip(field, wire, rest);
        }
        see(event(inner(wire, rest)?)?);
        Ok(())
    })
    .map_err(unreadable)
}

fn event(bytes: &[u8]) -> Result<Event, DecodeError> {
    let mut event = Event::default();
    fields(bytes, |field, wire, rest| {
        match field {
            EVENT_REVISION => event.revision = decode_varint(rest)?,
            EVENT_TIMESTAMP => event.timestamp_us = timestamp_us(inner(wire, rest)?)?,
            _ => skip(field, wire, rest)?,
        }
        Ok(())
    })?;
    Ok(event)
}

fn timestamp_us(bytes: &[u8]) -> Result<u64, DecodeError> {
    let (mut seconds, mut nanos) = (0, 0);
    fields(bytes, |field, wire, rest| {
        match field {
            TIMESTAMP_SECONDS => seconds = decode_varint(rest)?,
            TIMESTAMP_NANOS => nanos = decode_varint(rest)?,
            _ => skip(field, wire, rest)?,
        }
        Ok(())
    })?;
    Ok(seconds * 1_000_000 + nanos / 1_000)
}

fn unreadable(error: DecodeError) -> Failure {
    Failure::new(format!("a message of a watch cannot be read: {error}"))
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
