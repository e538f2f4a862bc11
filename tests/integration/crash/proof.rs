//! Holds what the server shows against what it had answered.
//!
//! Knows nothing of how the load came about.

use std::{collections::BTreeSet, path::Path};

use baton_log::{LogReader as _, SqliteLog};
use baton_proto::v1::{self, EventType, TaskHistoryType, WatchHandoffsRequest};

use super::{
    NAMESPACES,
    ledger::{Key, Ledger},
};
use crate::harness::Clients;

/// Every answered hand-off that was not looked at yet is there, the same in every field.
pub(super) async fn of_what_is_new(clients: &mut Clients, ledger: &mut Ledger) {
    for (namespace, answered) in std::mem::take(&mut ledger.unproved) {
        let found =
            clients.handoff(namespace, &answered.handoff_id).await.expect("an answered hand-off is there");
        assert_eq!(found, answered);
    }
    for ((namespace, agent_id), (count, revision)) in &ledger.states {
        let found = clients.state(namespace, agent_id).await.expect("an answered state is there");
        let expected = crate::harness::object([("count", count.to_string())]);
        assert_eq!((found.state, found.revision), (Some(expected), *revision), "{agent_id}");
    }
}

/// Tasks, histories, figures, events and hashes all say the same as the ledger.
pub(super) async fn of_everything(clients: &mut Clients, ledger: &Ledger) {
    for (key, task) in &ledger.tasks {
        of_task(clients, ledger, key, task).await;
    }
    for namespace in NAMESPACES {
        of_events(clients, ledger, namespace).await;
    }
    let verified = clients.verify("").await.expect("the log verifies");
    assert_eq!(verified.len(), NAMESPACES.len());
}

async fn of_task(clients: &mut Clients, ledger: &Ledger, key: &Key, answered: &v1::Task) {
    let (namespace, task_id) = key;
    let task = clients.task(namespace, task_id).await.expect("an answered task is there");
    let history = clients.history(namespace, task_id).await;
    // All unknown outcomes have been asked for again, so only refusals can be newer, and they change nothing of the task.
    let change = |entry: &&v1::TaskHistoryEntry| entry.r#type() != TaskHistoryType::HandoffRejected;
    assert_eq!(history.iter().rfind(change).map(|entry| entry.revision), Some(task.revision));
    assert_eq!(task, *answered);

    let nothing = std::collections::BTreeMap::new();
    let completed = ledger.completed.get(key).unwrap_or(&nothing);
    assert_eq!(u64::from(task.handoff_count), completed.len() as u64);
    assert_eq!(task.owner_epoch, completed.len() as u64 + 1);
    of_chain(&history, completed);

    let of_type = |wanted| move |entry: &&v1::TaskHistoryEntry| entry.r#type() == wanted;
    let rejected: Vec<&str> = history
        .iter()
        .filter(of_type(TaskHistoryType::HandoffRejected))
        .map(|entry| entry.handoff_id.as_str())
        .collect();
    let told = ledger.rejected.get(key).into_iter().flatten().map(String::as_str);
    assert_eq!(rejected.len(), rejected.iter().collect::<BTreeSet<_>>().len(), "an id is there twice");
    assert_eq!(rejected.into_iter().collect::<BTreeSet<_>>(), told.collect(), "refusals of {task_id}");
}

/// Each completed hand-off is there once, and each begins where the one before ended.
fn of_chain(history: &[v1::TaskHistoryEntry], completed: &std::collections::BTreeMap<u64, v1::Handoff>) {
    let entries = history.iter().filter(|entry| entry.r#type() == TaskHistoryType::HandoffCompleted);
    let entries: Vec<_> = entries.collect();
    assert_eq!(entries.len(), completed.len());
    let mut owner = history[0].assigned_agent.as_str();
    for (entry, (epoch, answered)) in entries.into_iter().zip(completed) {
        assert_eq!(entry.from_agent, owner);
        assert_eq!(entry.to_agent, answered.to_agent);
        assert_eq!((entry.owner_epoch, entry.revision), (*epoch, answered.revision));
        assert_eq!(entry.handoff_id, answered.handoff_id);
        owner = &entry.assigned_agent;
    }
}

/// Revisions are dense from 1, and the completed hand-offs among the events are those that were answered, each once.
async fn of_events(clients: &mut Clients, ledger: &Ledger, namespace: &str) {
    let head = clients.head(namespace).await;
    let watch = WatchHandoffsRequest {
        namespace: namespace.into(),
        start_revision: 1,
        all_events: true,
        ..Default::default()
    };
    let events = clients.events(watch, head).await;
    assert!(events.iter().map(|event| event.revision).eq(1..=head), "revisions of {namespace:?} have gaps");
    let completed = events.iter().filter(|event| event.r#type() == EventType::HandoffCompleted);
    let completed: Vec<_> = completed.map(|event| event.handoff.as_ref().expect("it is about one")).collect();
    let answered = ledger.completed_in(namespace);
    assert!(completed.into_iter().eq(answered.values().copied()), "the events of {namespace:?} are others");
    assert_eq!(clients.summary(namespace).await.completed, answered.len() as u64);
}

/// The log of the dead server verifies as it lies there.
pub(super) fn of_the_folder(data: &Path, ledger: &Ledger) {
    let log = SqliteLog::open_read_only(data).expect("a dead server's log can be looked at");
    let heads = log.heads().expect("the heads can be read");
    assert_eq!(heads.len(), NAMESPACES.len());
    for head in heads {
        let verified = baton_log::verify(&log, &head.namespace, |_| ()).expect("the chain holds");
        assert_eq!(verified.revisions, head.revision);
    }
    assert!(ledger.unproved.is_empty());
}
