//! Looks at what is new in a namespace, for all who watch it with a filter.

use std::sync::Arc;

use baton_core::Revision;
use tokio::task::yield_now;

use super::finds::Finds;
use crate::engine::{
    namespace::Namespace,
    recent::{Commit, Presentation},
};

/// After so many events others have their turn on the thread.
const EVENTS_AT_ONCE: usize = 512;

/// Those who are to be woken when what was looked at is announced.
#[derive(Debug, Default)]
pub(in crate::engine) struct Called(Vec<Arc<Finds>>);

impl Called {
    /// How many.
    pub(in crate::engine) fn len(&self) -> usize {
        self.0.len()
    }

    /// Wakes them.
    pub(in crate::engine) fn wake(self) {
        self.0.iter().for_each(|finds| finds.wake());
    }

    pub(super) fn add_if(&mut self, is_new: bool, finds: &Arc<Finds>) {
        if is_new {
            self.0.push(Arc::clone(finds));
        }
    }
}

/// Looks at everything up to `newest`, which is durable, and gives those for whom there is news. If somebody wants it `all`, what is looked at
/// is encoded too, so that it is decoded once.
pub(in crate::engine) async fn look(
    namespace: &Namespace,
    presentation: &Presentation,
    newest: Revision,
    all: bool,
) -> Called {
    let known = &namespace.interests().0;
    let mut called = Called::default();
    let mut events = 0;
    loop {
        let Some(from) = known.lock().next_to_look_at(newest) else { return called };
        let mut commits = namespace.recent(from).unwrap_or_default();
        commits.retain(|commit| commit.last_revision() <= newest);
        if commits.is_empty() {
            // So much has come since that it has left memory. The log has it.
            known.lock().leave_to_themselves(newest, &mut called);
        }
        for commit in commits {
            events += look_at(namespace, presentation, &commit, all, &mut called);
            if events >= EVENTS_AT_ONCE {
                events = 0;
                yield_now().await;
            }
        }
    }
}

/// Looks at one commit; says how many events it has.
fn look_at(
    namespace: &Namespace,
    presentation: &Presentation,
    commit: &Commit,
    all: bool,
    called: &mut Called,
) -> usize {
    let known = &namespace.interests().0;
    let Ok(mut reading) = commit.read(presentation) else {
        // Whoever would get something of it has to be told, and nobody knows who that is.
        known.lock().leave_to_themselves(commit.last_revision(), called);
        return 0;
    };
    let is_wanted = known.lock().look_at(commit, reading.keys, called);
    if is_wanted || all {
        reading.encoded(namespace.name());
    }
    reading.keys.len()
}

#[cfg(test)]
mod tests {
    use baton_core::{RequestMemory, State};

    use super::*;
    use crate::{
        engine::{Encoded, EventKey, Wanted},
        metrics::Metrics,
    };

    static PRESENTATION: Presentation = Presentation {
        key: |_| EventKey { kind: 1, of_handoff: true, task: None, agents: [None, None] },
        encode: |_, _, _| Encoded::default(),
    };

    #[tokio::test]
    async fn what_has_left_memory_before_it_was_looked_at_everybody_looks_at_itself() {
        let state = State::new(RequestMemory::default());
        let namespace = Namespace::new("n".into(), state, &Arc::new(Metrics::new()));
        let wanted = Arc::new(Wanted { types: [2].into(), ..Wanted::default() });
        let interest = namespace.register(&wanted).expect("it has a filter");
        assert!(interest.covers(Revision(1)));
        let called = look(&namespace, &PRESENTATION, Revision(50), false).await;
        assert_eq!(called.len(), 1);
        assert_eq!(interest.ahead(Revision(1), Revision(50)), Some(Revision(1)..=Revision(50)));
        drop(interest);
        assert_eq!(namespace.interests().len(), 0);
        assert_eq!(look(&namespace, &PRESENTATION, Revision(60), false).await.len(), 0);
    }
}
