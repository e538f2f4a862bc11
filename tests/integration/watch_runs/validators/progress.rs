//! What messages say of how far a watcher is, and of which log.

use super::{
    super::{
        observed::{Stream, Watch},
        truth::Truth,
    },
    of_streams,
};

pub(super) fn progress(watch: &Watch, _: &Truth) -> Vec<String> {
    of_streams(watch, |stream, found| {
        along(stream, found);
        ahead(stream, found);
        if let Some(first) = stream.start().filter(|first| *first <= stream.head_before) {
            let head = stream.head_before;
            if stream.request.start_revision == 0 {
                found.push(format!("from now begins at {first}, and {head} was there before"));
            }
        }
    })
}

/// Along a stream progress only grows, and events come before they are told to be there.
fn along(stream: &Stream, found: &mut Vec<String>) {
    let mut told = stream.request.start_revision.saturating_sub(1);
    for message in stream.messages.iter().map(|seen| &seen.message) {
        let late = message.events.iter().filter(|event| event.revision <= told);
        found.extend(late.map(|event| format!("{} comes after {told} was told", event.revision)));
        let last = message.events.iter().map(|event| event.revision).max().unwrap_or(0);
        if message.revision < last {
            found.push(format!("{} is told with event {last}", message.revision));
        }
        if message.revision < told {
            found.push(format!("{} is told after {told}", message.revision));
        }
        told = told.max(message.revision);
    }
}

/// No message is ahead of what is in the log when it comes, of what a reader is told right after, or of the log that the server left behind.
fn ahead(stream: &Stream, found: &mut Vec<String>) {
    for seen in &stream.messages {
        let told = seen.message.revision;
        let at_end = stream.durable.map(|(_, newest)| newest);
        let heads = [(seen.head_after, "readers"), (seen.durable, "the log"), (at_end, "the dead log")];
        for (head, whose) in heads {
            if let Some(head) = head.filter(|head| told > *head) {
                found.push(format!("{told} is told, and {whose} have {head}"));
            }
        }
    }
}

pub(super) fn log_id(watch: &Watch, truth: &Truth) -> Vec<String> {
    of_streams(watch, |stream, found| {
        let messages = stream.messages.iter().map(|seen| &seen.message);
        let wrong = messages.filter(|message| message.log_id != truth.log_id);
        found.extend(wrong.map(|message| {
            format!("at {} the log is {:?}, and is {:?}", message.revision, message.log_id, truth.log_id)
        }));
    })
}
