//! Which events come and what they say: all that are asked for, no others, and what is true.

use std::collections::{BTreeMap, BTreeSet};

use baton_proto::v1::{self, HandoffEvent};

use super::{
    super::{
        fact::Fact,
        observed::Watch,
        truth::{Answer, Truth},
        wanted::wanted,
    },
    of_streams,
};

pub(super) fn complete(watch: &Watch, truth: &Truth) -> Vec<String> {
    of_streams(watch, |stream, found| {
        let (Some(start), Some(told)) = (stream.start(), stream.told()) else { return };
        let came: BTreeSet<u64> = stream.events().map(|event| event.revision).collect();
        // A stream that goes back in its events cannot be asked for a range that is empty.
        let asked = truth.facts.range(start..=told.max(start));
        let asked = asked.filter(|(revision, fact)| **revision <= told && wanted(&stream.request, fact));
        let missing = asked.filter(|(revision, _)| !came.contains(revision));
        found.extend(missing.map(|(revision, fact)| {
            format!("{revision}, a {:?}, is missing though {told} is told", fact.kind)
        }));
    })
}

pub(super) fn filtered(watch: &Watch, _: &Truth) -> Vec<String> {
    of_streams(watch, |stream, found| {
        let excluded = stream.events().filter(|event| !wanted(&stream.request, &Fact::of_event(event)));
        found.extend(excluded.map(|event| format!("{} was not asked for: {event:?}", event.revision)));
    })
}

pub(super) fn told_truly(watch: &Watch, truth: &Truth) -> Vec<String> {
    let mut found = of_streams(watch, |stream, found| {
        for event in stream.events() {
            let (told, known) = (Fact::of_event(event), truth.facts.get(&event.revision));
            if known != Some(&told) {
                found.push(format!("{} is told as {told:?}, and is {known:?}", event.revision));
            }
        }
    });
    let told: BTreeMap<u64, &HandoffEvent> = watch
        .streams
        .iter()
        .flat_map(|stream| stream.events())
        .map(|event| (event.revision, event))
        .collect();
    for answer in &truth.answers {
        let (handoff, task) = match answer {
            Answer::Handoff(handoff, task) => (Some(&**handoff), task.as_deref()),
            Answer::Task(task) => (None, Some(&**task)),
            Answer::State { .. } | Answer::Refused { .. } => continue,
        };
        let revision = handoff.map(|handoff| handoff.revision).or(task.map(|task| task.revision));
        let Some(event) = revision.and_then(|revision| told.get(&revision)) else { continue };
        if handoff.is_some() && event.handoff.as_ref() != handoff {
            found.push(format!("{event:?} is told where {handoff:?} was answered"));
        }
        if let (Some(answered), Some(told)) = (task, &event.task)
            && *told != as_told(answered, event)
        {
            found.push(format!("{event:?} is told where {answered:?} was answered"));
        }
    }
    found
}

/// An answered task as events tell of it: description and metadata where it is created, the outcome where it ends.
fn as_told(answered: &v1::Task, event: &HandoffEvent) -> v1::Task {
    let mut task = answered.clone();
    if event.r#type() != v1::EventType::TaskCreated {
        (task.description, task.metadata) = (String::new(), None);
    }
    if event.handoff.is_some() {
        task.outcome.clear();
    }
    task
}

/// Where two watches were told different things of one revision.
pub(super) fn disagreements(watches: &[Watch]) -> Vec<String> {
    let mut first: BTreeMap<u64, (&str, &HandoffEvent)> = BTreeMap::new();
    let mut found = Vec::new();
    for watch in watches {
        for event in watch.streams.iter().flat_map(|stream| stream.events()) {
            let (other, known) = first.entry(event.revision).or_insert((&watch.name, event));
            if *known != event {
                let (revision, name) = (event.revision, &watch.name);
                found.push(format!("{name} was told of {revision}: {event:?}; {other} was told: {known:?}"));
            }
        }
    }
    found
}
