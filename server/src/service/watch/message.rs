//! Puts a message together from events that are encoded already, as a frame that can be sent as it is.
//!
//! The fields of a message may come in any order and in pieces (Protocol Buffers, "Encoding"), so encoded events are copied behind each other.

use baton_core::Revision;
use baton_proto::v1;
use bytes::Bytes;
use prost::{Message as _, encoding};

use crate::own_body::{PREFIX_BYTES, framed, new_frame};

/// Most events of one message.
const EVENTS_MAX: usize = 512;
/// A message is sent when its events pass this many bytes: few large frames rather than many small ones, and well within the 4 MiB that
/// clients take by default.
pub(super) const MESSAGE_BYTES: usize = 256 * 1024;
/// The number of `WatchHandoffsResponse.revision`.
const REVISION_FIELD: u32 = 2;
/// The number of `WatchHandoffsResponse.log_id`.
const LOG_ID_FIELD: u32 = 3;
/// Room for revision and log id.
const TAIL_BYTES: usize = 64;

/// A message in the making.
#[derive(Default)]
pub(super) struct Message {
    /// Empty until there is something to say; then it begins with room for the prefix.
    frame: Vec<u8>,
    events: usize,
}

impl Message {
    /// Adds `count` events, encoded as fields of the message.
    pub(super) fn add(&mut self, events: &[u8], count: usize) {
        if self.frame.is_empty() {
            self.frame.reserve(PREFIX_BYTES + events.len() + TAIL_BYTES);
            self.frame.resize(PREFIX_BYTES, 0);
        }
        self.frame.extend_from_slice(events);
        self.events += count;
    }

    /// How many events have room yet.
    pub(super) fn room(&self) -> usize {
        if self.frame.len() >= MESSAGE_BYTES { 0 } else { EVENTS_MAX - self.events.min(EVENTS_MAX) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// The frame of a message that says: this is all up to `revision` of that log.
    pub(super) fn finish(mut self, revision: Revision, log_id: &String) -> Bytes {
        self.frame.resize(self.frame.len().max(PREFIX_BYTES), 0);
        encoding::uint64::encode(REVISION_FIELD, &revision.0, &mut self.frame);
        encoding::string::encode(LOG_ID_FIELD, log_id, &mut self.frame);
        framed(self.frame)
    }
}

/// The frame of a whole message.
pub(super) fn frame(message: &v1::WatchHandoffsResponse) -> Bytes {
    let mut frame = new_frame(message.encoded_len());
    message.encode_raw(&mut frame);
    framed(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_the_same_message_as_the_whole() {
        let event = |revision| v1::HandoffEvent { revision, ..Default::default() };
        let whole = v1::WatchHandoffsResponse {
            events: vec![event(7), event(9)],
            revision: 300,
            log_id: "log".into(),
            ..Default::default()
        };
        let mut message = Message::default();
        for event in &whole.events {
            let mut piece = Vec::new();
            encoding::message::encode(1, event, &mut piece);
            message.add(&piece, 1);
        }
        let pieces = message.finish(Revision(300), &"log".into());
        assert_eq!(pieces, frame(&whole));
        let decoded = v1::WatchHandoffsResponse::decode(&pieces[PREFIX_BYTES..]);
        assert_eq!(decoded.as_ref(), Ok(&whole));
    }

    #[test]
    fn a_message_without_events_tells_how_far_it_is() {
        let progress = v1::WatchHandoffsResponse { revision: 12, log_id: "log".into(), ..Default::default() };
        assert_eq!(Message::default().finish(Revision(12), &"log".into()), frame(&progress));
    }
}
