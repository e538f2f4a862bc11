//! In which order events come: growing, each once, and without gaps where all are asked for.

use std::collections::BTreeSet;

use baton_proto::v1::HandoffEvent;

use super::{
    super::{observed::Watch, truth::Truth, wanted::wants_all},
    of_streams,
};

pub(super) fn ordered(watch: &Watch, _: &Truth) -> Vec<String> {
    let mut found = of_streams(watch, |stream, found| going_back(stream.events(), found));
    if found.is_empty() {
        going_back(watch.acted_on(), &mut found);
    }
    found
}

/// An event that comes once more is no step back: that is for [`unique`] to say.
fn going_back<'a>(events: impl Iterator<Item = &'a HandoffEvent>, found: &mut Vec<String>) {
    let (mut newest, mut seen) = (0, BTreeSet::new());
    for revision in events.map(|event| event.revision) {
        if seen.insert(revision) && revision < newest {
            found.push(format!("{revision} comes after {newest}"));
        }
        newest = newest.max(revision);
    }
}

pub(super) fn unique(watch: &Watch, _: &Truth) -> Vec<String> {
    let mut found = of_streams(watch, |stream, found| repeated(stream.events(), found));
    if found.is_empty() {
        repeated(watch.acted_on(), &mut found);
    }
    found
}

fn repeated<'a>(events: impl Iterator<Item = &'a HandoffEvent>, found: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    let again = events.map(|event| event.revision).filter(|revision| !seen.insert(*revision));
    found.extend(again.map(|revision| format!("{revision} comes again")));
}

pub(super) fn dense(watch: &Watch, _: &Truth) -> Vec<String> {
    of_streams(watch, |stream, found| {
        let Some(mut next) = stream.start().filter(|_| wants_all(&stream.request)) else { return };
        for event in stream.events() {
            if event.revision > next {
                found.push(format!("{} comes where {next} should", event.revision));
            }
            next = next.max(event.revision + 1);
        }
        if let Some(told) = stream.told()
            && told >= next
        {
            found.push(format!("{told} is told, and {next} has not come"));
        }
    })
}
