//! A stop and a start lose nothing and change nothing.

use baton_proto::v1::{self, WatchHandoffsRequest};

use crate::harness::{Clients, Disk, TestServer, create, hand_off, state};

/// All that a namespace shows of itself.
#[derive(Debug, PartialEq)]
struct Shown {
    tasks: Vec<v1::Task>,
    histories: Vec<Vec<v1::TaskHistoryEntry>>,
    handoffs: Vec<v1::Handoff>,
    state: v1::AgentState,
    summary: v1::Summary,
    events: Vec<v1::HandoffEvent>,
    verified: Vec<v1::VerifyLogResponse>,
}

async fn show(clients: &mut Clients) -> Shown {
    let tasks = clients.tasks.list_tasks(v1::ListTasksRequest::default()).await.unwrap().into_inner().tasks;
    let mut histories = Vec::new();
    for task in &tasks {
        histories.push(clients.history("", &task.task_id).await);
    }
    let handoffs = clients.handoffs.list_handoffs(v1::ListHandoffsRequest::default()).await.unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_as_it_was_after_an_orderly_stop() {
    for disk in [Disk::folder(), Disk::memory()] {
        let server = TestServer::start(&disk).await;
        let mut clients = server.clients().await;
        clients.states.update_agent_state(state("", "triage", &[("order", "1142")])).await.unwrap();
        for index in 0..20 {
            let task = format!("task-{index}");
            clients.create(create("", &task, "triage")).await.unwrap();
            clients.hand_off(hand_off("", &task, "triage", "billing")).await.unwrap();
            clients.hand_off(hand_off("", &task, "triage", "legal")).await.unwrap_err();
        }
        let open = v1::InitiateHandoffRequest {
            task_id: "task-3".into(),
            from_agent: "billing".into(),
            to_agent: "legal".into(),
            reason: "fraud".into(),
            ..Default::default()
        };
        clients.handoffs.initiate_handoff(open).await.unwrap();
        let before = show(&mut clients).await;
        assert_eq!(before.events.len(), 62);
        server.stop().await;

        let server = TestServer::start(&disk).await;
        let mut clients = server.clients().await;
        assert_eq!(show(&mut clients).await, before);
        let (handoff, task) = clients.hand_off(hand_off("", "task-4", "billing", "legal")).await.unwrap();
        assert_eq!((handoff.revision, task.owner_epoch), (63, 3), "revisions and epochs go on");
        server.stop().await;
    }
}
