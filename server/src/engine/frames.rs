//! Messages that many watchers get, kept as bytes while they get them: those who want the same from the same revision on share one.
//!
//! Knows nothing of what a message looks like.

use std::collections::VecDeque;

use baton_core::Revision;
use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

/// How many messages are kept: watchers that are not far behind each other find what they want among them.
const FRAMES_MAX: usize = 8;

/// The newest such messages of a namespace.
#[derive(Debug, Default)]
pub struct SharedFrames(Mutex<VecDeque<SharedFrame>>);

/// One of them.
#[derive(Clone, Debug)]
pub struct SharedFrame {
    /// Whether it is for those who want all events, or for those who want the events of hand-offs.
    pub all_events: bool,
    /// What its reader has to want next.
    pub from: Revision,
    /// What its reader wants next after it.
    pub next: Revision,
    /// The message.
    pub bytes: Bytes,
}

/// Access to them. Whoever has it finds or makes a message, and the others then find it.
pub struct OpenFrames<'a>(MutexGuard<'a, VecDeque<SharedFrame>>);

impl SharedFrames {
    /// Keeps others out for as long as it takes to make a message from memory.
    pub fn open(&self) -> OpenFrames<'_> {
        OpenFrames(self.0.lock())
    }

    /// Lets all of them go: nobody watches.
    pub(super) fn clear(&self) {
        *self.0.lock() = VecDeque::new();
    }
}

impl OpenFrames<'_> {
    /// The message from that revision on.
    pub fn find(&self, all_events: bool, from: Revision) -> Option<&SharedFrame> {
        self.0.iter().rev().find(|frame| frame.from == from && frame.all_events == all_events)
    }

    /// Keeps a message in place of the oldest.
    pub fn add(&mut self, frame: SharedFrame) {
        if self.0.len() >= FRAMES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(frame);
    }
}
