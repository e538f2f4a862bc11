//! Reads for the engine what the states left elsewhere: finished tasks to the archive, what was answered long ago to segments.
//!
//! Knows nothing of what is decided with it.

use std::sync::Arc;

use baton_core::{Answer, Command, Draft, PartPlace, Rejection, Revision, StoredRequest, Subject};
use baton_log::{ArchiveReader, SegmentPart, SegmentReader};
use tracing::warn;

use super::{EngineError, place::Place, recall::lend};

/// The archive, and the segments.
pub(super) struct Past {
    archive: Box<dyn ArchiveReader>,
    segments: Box<dyn SegmentReader>,
    place: Place,
    /// Whoever repeats an old request mostly repeats those beside it too.
    last: Option<LastPart>,
}

/// The part of a segment that was read last.
struct LastPart {
    namespace: Arc<str>,
    part: SegmentPart,
    bytes: Vec<u8>,
}

impl Past {
    pub(super) fn new(
        archive: Box<dyn ArchiveReader>,
        segments: Box<dyn SegmentReader>,
        place: Place,
    ) -> Self {
        Self { archive, segments, place, last: None }
    }

    /// Lends `draft` the archived task that `subject` names, if it lacks it.
    ///
    /// # Errors
    /// [`EngineError::PastUnreadable`].
    pub(super) fn lend(
        &self,
        draft: &mut Draft<'_>,
        subject: Subject<'_>,
        namespace: &str,
    ) -> Result<(), EngineError> {
        lend(draft, subject, namespace, &*self.archive, u64::MAX)
            .map_err(|error| EngineError::PastUnreadable(error.to_string()))
    }

    /// What a command is answered that was done before.
    ///
    /// # Errors
    /// [`EngineError::PastUnreadable`]; the answer may be that its request id was used for something else.
    pub(super) fn repeated(
        &mut self,
        namespace: &Arc<str>,
        stored: &StoredRequest,
        command: &Command,
    ) -> Result<Result<Answer, Rejection>, EngineError> {
        let unreadable = |why: String| {
            warn!(%namespace, %why, "what was answered long ago cannot be read; a restart makes the segment anew, if the log has all events");
            EngineError::PastUnreadable(format!(
                "this was done before, but what was answered cannot be read: {why}"
            ))
        };
        let part = self.part(namespace, stored).map_err(unreadable)?;
        stored.repeated(command, part).map_err(|error| unreadable(error.to_string()))
    }

    fn part(&mut self, namespace: &Arc<str>, stored: &StoredRequest) -> Result<&[u8], String> {
        let (Revision(first), Revision(last)) = (stored.segment.first, stored.segment.last);
        let PartPlace { parts_before, bytes_before } = stored.part;
        let part = SegmentPart { first, last, parts_before, bytes_before };
        let is_it = |last: &LastPart| last.namespace == *namespace && last.part == part;
        if !self.last.as_ref().is_some_and(is_it) {
            let bytes = self.place.aside(|| self.segments.part(namespace, &part));
            let bytes = bytes.map_err(|error| error.to_string())?;
            self.last = Some(LastPart { namespace: Arc::clone(namespace), part, bytes });
        }
        Ok(self.last.as_ref().map_or(&[], |last| &last.bytes))
    }
}
