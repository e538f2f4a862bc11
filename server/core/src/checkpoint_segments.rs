//! The remembered requests, cut into segments: what is in one never changes, so it is written once, and checkpoints only name it.
//!
//! Where to cut does not change what a state is: it is the same from any segments that have its requests. Knows nothing of where segments
//! are kept, nor of which there are.

use crate::{
    Revision, State,
    checkpoint_parts::{Parts, Section},
    checkpoint_requests::RequestsWriter,
    limits::{REQUEST_SEGMENT_BYTES, REQUEST_SEGMENT_COUNT},
};

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

    /// The next segment of those requests that were recorded after `after`; `None`: they are too few for one.
    pub fn next_segment(&self, after: Revision) -> Option<RequestSegment> {
        let (mut next, mut bytes) = (None, 0);
        for request in self.requests.after(after) {
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

    /// Writes the requests of a segment as [`State::write_checkpoint`] writes a state: part by part, readable without any other segment.
    ///
    /// # Errors
    /// The first that `part` gives; it is not called again then.
    pub fn write_segment<E>(
        &self,
        segment: RequestSegment,
        part: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let RequestSegment { first, last, count: _ } = segment;
        let (mut parts, mut requests) = (Parts::new(part), RequestsWriter::default());
        parts.item(Section::Segments, RequestsWriter::begin_segment)?;
        let before = Revision(first.0.saturating_sub(1));
        for request in self.requests.after(before).take_while(|request| request.revision <= last) {
            requests.write(Section::Segments, &request, &mut parts)?;
        }
        parts.end()
    }
}
