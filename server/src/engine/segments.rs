//! The segments that a checkpoint builds on: those that older checkpoints built on, as far as they are still needed, and those that have
//! become full since.
//!
//! Knows nothing of how segments are kept.

use std::{convert::Infallible, sync::Arc};

use baton_core::{CHECKPOINT_FORMAT, InSegments, RequestSegment, Revision, State, StoredRequests};
use baton_log::{CheckpointError, CheckpointHead, Checkpoints, Segment, SegmentHead};

/// The segments that a checkpoint builds on.
pub(super) struct Complete {
    pub(super) segments: Vec<Segment>,
    /// What those have that memory holds too: those that were saved for it, and any that another state saved, as it was replayed for the sake
    /// of retention.
    pub(super) held: Vec<Arc<StoredRequests>>,
}

/// Why a checkpoint has not all the segments that it builds on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Incomplete {
    #[error(transparent)]
    Unsaved(#[from] CheckpointError),
    /// Memory does not have what is in them.
    #[error(
        "segments with remembered requests of up to revision {until} are gone from the folder `checkpoints`; \
         put them back from a backup, or restart, which makes them anew if the log has all events"
    )]
    Lost { until: Revision },
}

/// The segments that a checkpoint of `state` builds on; those are saved that are not there yet. `usable` are the checkpoints that can be
/// started from, newest first.
///
/// # Errors
/// [`Incomplete`] if one could not be saved, or is not there any more and cannot be made anew.
pub(super) fn complete(
    checkpoints: &mut dyn Checkpoints,
    usable: &[CheckpointHead],
    namespace: &Arc<str>,
    state: &State,
) -> Result<Complete, Incomplete> {
    let mut segments = from_older(checkpoints, usable, state);
    if in_segments(&segments).until < state.stored_until() {
        return Err(Incomplete::Lost { until: state.stored_until() });
    }
    let mut held: Vec<_> = segments.iter().filter_map(|segment| held_too(state, segment)).collect();
    while let Some(next) = state.next_segment(in_segments(&segments).until) {
        let RequestSegment { first: Revision(first), last: Revision(last), count } = next;
        let namespace = Arc::clone(namespace);
        let head = SegmentHead { namespace, first, last, count, format: CHECKPOINT_FORMAT };
        let saved = checkpoints.save_segment(&head, &mut |part| {
            held.push(Arc::new(state.write_segment(next, part)?));
            Ok(())
        });
        segments.push(saved?);
    }
    Ok(Complete { segments, held })
}

/// Where the requests of a segment stand in it that was saved before, if the state holds all of them: it would be written with the same bytes.
fn held_too(state: &State, segment: &Segment) -> Option<Arc<StoredRequests>> {
    let Segment { first, last, count, .. } = *segment;
    let segment = RequestSegment { first: Revision(first), last: Revision(last), count };
    if segment.first <= state.stored_until() {
        return None;
    }
    let Ok(stored) = state.write_segment(segment, &mut |_| Ok::<_, Infallible>(()));
    (stored.segment() == Some(segment)).then(|| Arc::new(stored))
}

/// What a checkpoint beside those segments leaves to them.
pub(super) fn in_segments(segments: &[Segment]) -> InSegments {
    InSegments {
        until: Revision(segments.last().map_or(0, |segment| segment.last)),
        count: segments.iter().map(|segment| segment.count).sum(),
    }
}

/// The segments of the newest checkpoint that has the oldest request of `state`: without those that are forgotten, those that came later
/// (where the state was replayed for the sake of retention, and is of before), and any from the first on that is not there any more.
fn from_older(checkpoints: &dyn Checkpoints, usable: &[CheckpointHead], state: &State) -> Vec<Segment> {
    let Some(Revision(oldest)) = state.oldest_request() else { return Vec::new() };
    for CheckpointHead { namespace, segments, .. } in usable {
        let needed = segments.iter().skip_while(|segment| segment.last < oldest);
        let needed = needed.take_while(|segment| segment.last <= state.head().0);
        let found: Vec<_> =
            needed.take_while(|segment| checkpoints.has_segment(namespace, segment)).copied().collect();
        if found.first().is_some_and(|first| first.first <= oldest) {
            return found;
        }
    }
    Vec::new()
}
