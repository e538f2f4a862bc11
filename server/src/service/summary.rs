//! Collects the figures of a namespace, a bounded part at a time, so that the engine never waits for it.

use std::{borrow::Cow, sync::Arc};

use baton_core::{Handoff, HandoffId, HandoffStatus, Revision, summary::Tally};
use baton_log::{ArchiveError, ArchiveReader};
use baton_proto::v1;

use super::{Api, from_wire::SummaryQuery, to_wire};
use crate::engine::archived;

/// Hand-offs that are taken at once while the state is held.
const CHUNK: usize = 1_024;
/// Most groups of each grouping.
const GROUPS_MAX: usize = 1_000;

/// Counts the hand-offs that `query` asks for. Blocks for as long as that takes.
///
/// # Errors
/// [`ArchiveError`] if the archive cannot be read.
pub(super) fn collect(
    api: &Api,
    query: &SummaryQuery,
    archive: &dyn ArchiveReader,
) -> Result<v1::GetSummaryResponse, ArchiveError> {
    let window_us = query.window.map(|window| i64::try_from(window.as_micros()).unwrap_or(i64::MAX));
    let since_us = window_us.map_or(i64::MIN, |window_us| api.now_us().saturating_sub(window_us));
    let mut tally = Tally::new(query.groupings.clone());
    let head = tally_up(api, query, archive, since_us, &mut tally)?;
    let mut groups = Vec::new();
    let mut truncated = false;
    for grouping in &query.groupings {
        let all = tally.groups(*grouping);
        truncated |= all.len() > GROUPS_MAX;
        groups.extend(all.into_iter().take(GROUPS_MAX).map(|(group, sample)| to_wire::group(group, sample)));
    }
    Ok(v1::GetSummaryResponse {
        total: Some(to_wire::summary(tally.total())),
        groups,
        truncated,
        revision: head.0,
    })
}

/// Counts from the newest hand-off back to the first that is too old, as of one revision.
fn tally_up(
    api: &Api,
    query: &SummaryQuery,
    archive: &dyn ArchiveReader,
    since_us: i64,
    tally: &mut Tally,
) -> Result<Revision, ArchiveError> {
    let Some(namespace) = api.engine.namespaces().get(&query.namespace) else { return Ok(Revision(0)) };
    let head = namespace.read().head();
    let mut before = HandoffId(head.next());
    loop {
        let part = archived::handoffs_before(&namespace, archive, before, CHUNK)?;
        for (_, handoff) in &part.items {
            if handoff.created_us < since_us {
                return Ok(head);
            }
            let with_agent = |agent: &str| *handoff.from == *agent || *handoff.to == *agent;
            if query.agent.as_deref().is_none_or(with_agent) {
                tally.add(&as_of(head, handoff));
            }
        }
        match part.more_after {
            Some(oldest) => before = oldest,
            None => return Ok(head),
        }
    }
}

/// The hand-off as it was at `head`. It changes once after its creation, when it is closed, so before that it was open.
fn as_of(head: Revision, handoff: &Arc<Handoff>) -> Cow<'_, Handoff> {
    if handoff.revision <= head {
        Cow::Borrowed(handoff)
    } else {
        Cow::Owned(Handoff { status: HandoffStatus::Initiated, ..(**handoff).clone() })
    }
}
