//! The remembered requests, cut into segments: what is in one never changes, so it is written once, checkpoints only name it, and memory need
//! not hold it.
//!
//! Where to cut does not change what a state is: it is the same from any segments that have its requests. Knows nothing of where segments
//! are kept, nor of which there are.

mod read;
mod write;

use std::sync::Arc;

use crate::{
    Revision, State, StoredRequests,
    checkpoint_parts::Parts,
    limits::{REQUEST_SEGMENT_BYTES, REQUEST_SEGMENT_COUNT},
};

pub(crate) use read::SegmentsReader;
use write::SegmentWriter;

/// Remembered requests that follow each other: all that were recorded from `first` to `last`.
///
/// Of one log there is only one segment from here to there, with the same bytes whenever it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestSegment {
    /// Where its first request was recorded.
    pub first: Revision,
    /// Where its last request was recorded.
    pub last: Revision,
    /// How many requests it has.
    pub count: u64,
}

/// Which requests a checkpoint leaves to the segments that it builds on. By default none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InSegments {
    /// All that were recorded up to this revision.
    pub until: Revision,
    /// How many requests the segments have, those that are forgotten by now too.
    pub count: u64,
}

impl State {
    /// Where the oldest request was recorded that is remembered: what segments have before it is forgotten.
    pub fn oldest_request(&self) -> Option<Revision> {
        self.requests.oldest()
    }

    /// Where the last request was recorded that only segments have; 0: memory holds all that are remembered. No checkpoint can be written
    /// without those segments.
    pub fn stored_until(&self) -> Revision {
        self.requests.stored_until().unwrap_or_default()
    }

    /// Lets go of what memory holds of the requests of a segment, which was [written](Self::write_segment) by this state or a snapshot of it,
    /// and is to be kept from now on for as long as one of them is remembered. Segments go in their order; any other stays in memory.
    pub fn let_go(&mut self, stored: &Arc<StoredRequests>) {
        self.requests.let_go(stored);
    }

    /// The next segment of those requests that were recorded after `after`, and that memory holds; `None`: they are too few for one.
    pub fn next_segment(&self, after: Revision) -> Option<RequestSegment> {
        let (mut next, mut bytes) = (None, 0);
        for (_, request) in self.requests.held_after(after) {
            let first = RequestSegment { first: request.revision, last: request.revision, count: 0 };
            let segment = next.get_or_insert(first);
            (segment.last, segment.count) = (request.revision, segment.count + 1);
            bytes += request.entry.len();
            if segment.count >= REQUEST_SEGMENT_COUNT as u64 || bytes >= REQUEST_SEGMENT_BYTES {
                return next;
            }
        }
        None
    }

    /// Writes the requests of a segment as [`State::write_checkpoint`] writes a state: part by part, readable without any other segment. Tells
    /// where each stands.
    ///
    /// # Errors
    /// The first that `part` gives; it is not called again then.
    pub fn write_segment<E>(
        &self,
        segment: RequestSegment,
        part: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<StoredRequests, E> {
        let RequestSegment { first, last, count: _ } = segment;
        let before = Revision(first.0.saturating_sub(1));
        let mut requests = self.requests.held_after(before).peekable();
        let first_number = requests.peek().map_or(self.requests.next_number(), |(number, _)| *number);
        let (mut parts, mut writer) = (Parts::new(part), SegmentWriter::new(first_number));
        for (_, request) in requests.take_while(|(_, request)| request.revision <= last) {
            writer.write(&request, &mut parts)?;
        }
        writer.end(&mut parts)
    }
}
