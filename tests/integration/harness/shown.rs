//! All that a namespace shows of itself, to be held against what it showed before.
//!
//! Knows nothing of what happens in between.

use baton_proto::v1::{self, WatchHandoffsRequest};

use super::Clients;

/// All that a namespace shows of itself.
#[derive(Debug, PartialEq)]
pub(crate) struct Shown {
    pub(crate) tasks: Vec<v1::Task>,
    pub(crate) histories: Vec<Vec<v1::TaskHistoryEntry>>,
    pub(crate) handoffs: Vec<v1::Handoff>,
    pub(crate) state: v1::AgentState,
    pub(crate) summary: v1::Summary,
    pub(crate) events: Vec<v1::HandoffEvent>,
    pub(crate) verified: Vec<v1::VerifyLogResponse>,
}

/// Of the default namespace, which has at most 1,000 tasks and hand-offs, and a state of `billing`.
pub(crate) async fn show(clients: &mut Clients) -> Shown {
    let tasks = clients
        .tasks
        .list_tasks(v1::ListTasksRequest { page_size: 1_000, ..Default::default() })
        .await
        .unwrap()
        .into_inner()
        .tasks;
    let mut histories = Vec::new();
    for task in &tasks {
        histories.push(clients.history("", &task.task_id).await);
    }
    let handoffs = clients
        .handoffs
        .list_handoffs(v1::ListHandoffsRequest { page_size: 1_000, ..Default::default() })
        .await
        .unwrap();
    let head = clients.head("").await;
    let watch = WatchHandoffsRequest { start_revision: 1, all_events: true, ..Default::default() };
    Shown {
        tasks,
        histories,
        handoffs: handoffs.into_inner().handoffs,
        state: clients.state("", "billing").await.unwrap(),
        summary: clients.summary("").await,
        events: clients.events(watch, head).await,
        verified: clients.verify("").await.unwrap(),
    }
}
