//! Where a watch begins, ends and goes on: at a snapshot, at the place it was told, at the place it had come to.

use super::{
    super::{
        observed::{End, Stream, Watch},
        truth::Truth,
        wanted::wanted,
    },
    of_streams,
};

pub(super) fn resumable(watch: &Watch, truth: &Truth) -> Vec<String> {
    let mut found = of_streams(watch, |stream, found| {
        if let End::Stopping { resume_revision } = stream.end {
            place_to_resume(stream, resume_revision, truth, found);
        }
    });
    for pair in watch.streams.windows(2) {
        let (Some(acted), stream) = (pair[0].acted, &pair[1]) else { continue };
        // What comes first after the place that the watcher had come to, as far as the stream got.
        let told = stream.told().unwrap_or(0);
        let rest = truth.facts.range(acted + 1..).map(|(revision, fact)| (*revision, fact));
        let rest = rest.take_while(|(revision, _)| *revision <= told);
        let expected =
            rest.filter(|(_, fact)| wanted(&stream.request, fact)).map(|(revision, _)| revision).next();
        let first = stream.events().map(|event| event.revision).next();
        if first != expected {
            found.push(format!(
                "after {acted} comes {first:?}, and should {expected:?}: {}",
                stream.describe()
            ));
        }
    }
    found
}

/// Nothing that was asked for lies between what had come and the place to resume from, and nothing that had come lies after it.
fn place_to_resume(stream: &Stream, resume_revision: u64, truth: &Truth, found: &mut Vec<String>) {
    if let Some(last) =
        stream.events().map(|event| event.revision).max().filter(|last| *last >= resume_revision)
    {
        found.push(format!("it is to be resumed from {resume_revision}, and {last} has come"));
    }
    let Some(told) = stream.told() else { return };
    let skipped = truth.facts.iter().filter(|(revision, fact)| {
        **revision > told && **revision < resume_revision && wanted(&stream.request, fact)
    });
    found.extend(skipped.map(|(revision, _)| {
        format!("it is to be resumed from {resume_revision}, and {revision} has not come ({told} is told)")
    }));
    if truth.facts.len() as u64 + 1 < resume_revision {
        found.push(format!("it is to be resumed from {resume_revision}, which is in the future"));
    }
}

/// What is refused as gone is gone, and what is named as the oldest and the newest is there.
pub(super) fn gap(watch: &Watch, _: &Truth) -> Vec<String> {
    of_streams(watch, |stream, found| {
        let End::Compacted { oldest, newest } = stream.end else { return };
        let next = stream.told().map_or(stream.request.start_revision, |told| told + 1);
        if next >= oldest {
            found.push(format!("{next} is refused, and is not older than {oldest}"));
        }
        if newest + 1 < oldest {
            found.push(format!("the oldest is {oldest}, and the newest {newest}"));
        }
        // The oldest only grows, so it was not older then.
        if let Some((oldest_at_end, newest_at_end)) = stream.durable {
            if oldest > oldest_at_end {
                found.push(format!("{oldest} is told as the oldest, and {oldest_at_end} is there"));
            }
            if newest > newest_at_end {
                found.push(format!("{newest} is told as the newest, and {newest_at_end} is"));
            }
        }
    })
}

pub(super) fn snapshot(watch: &Watch, truth: &Truth) -> Vec<String> {
    of_streams(watch, |stream, found| {
        let messages: Vec<_> = stream.messages.iter().map(|seen| &seen.message).collect();
        let parts = messages.iter().position(|message| !message.snapshot_continues).map(|last| last + 1);
        let Some((first, rest)) = parts.map(|parts| messages.split_at(parts)) else { return };
        if rest.iter().any(|message| !message.open_handoffs.is_empty() || message.snapshot_continues) {
            found.push("open hand-offs come after the snapshot".to_owned());
        }
        let open: Vec<_> = first.iter().flat_map(|message| &message.open_handoffs).collect();
        if !stream.request.snapshot {
            if !open.is_empty() {
                found.push("open hand-offs come that were not asked for".to_owned());
            }
            return;
        }
        let revision = first[0].revision;
        if first.iter().any(|message| message.revision != revision || !message.events.is_empty()) {
            found.push(format!("the snapshot at {revision} has events or another revision"));
        }
        let ids: Vec<_> = open.iter().map(|handoff| handoff.handoff_id.clone()).collect();
        let expected = truth.open_at(revision);
        if ids != expected {
            found.push(format!("at {revision} {ids:?} are shown as open, and {expected:?} are"));
        }
        for handoff in open {
            let fact = truth.facts.get(&handoff.revision).and_then(|fact| fact.handoff.as_ref());
            if fact.is_none_or(|fact| fact.id != handoff.handoff_id || fact.to != handoff.to_agent) {
                found.push(format!("{handoff:?} is shown as open, and is {fact:?}"));
            }
        }
    })
}

pub(super) fn ended(watch: &Watch, _: &Truth) -> Vec<String> {
    of_streams(watch, |stream, found| {
        if stream.end == End::Silent {
            found.push("it ended without saying why".to_owned());
        }
    })
}
