//! The main job: a task with its state goes from one agent to another, and everyone can see it.

use baton_proto::v1::{
    self, EventType, HandoffStatus, StepStatus, TaskHistoryType, TaskStatus, WatchHandoffsRequest,
};

use crate::harness::{Disk, TestServer, context, create, hand_off, object, start, state};

#[tokio::test(flavor = "multi_thread")]
async fn a_task_its_state_and_its_history_change_hands_in_one_call() {
    let server = TestServer::start(&Disk::folder()).await;
    let mut clients = server.clients().await;

    let created = clients.create(create("", "refund-17", "triage")).await.unwrap();
    assert_eq!((created.owner_epoch, created.handoff_count, created.revision), (1, 0, 1));
    assert_eq!(created.namespace, "default");
    clients.tasks.update_task(start("", "refund-17")).await.unwrap();
    clients.states.update_agent_state(state("", "triage", &[("order", "1142")])).await.unwrap();
    clients.states.update_agent_state(state("", "billing", &[("desk", "3")])).await.unwrap();

    let asked = v1::HandOffRequest {
        owner_epoch: Some(1),
        context: Some(context()),
        ..hand_off("", "refund-17", "triage", "billing")
    };
    let (handoff, task) = clients.hand_off(asked).await.unwrap();

    assert_eq!(task.assigned_agent, "billing");
    assert_eq!(task.status(), TaskStatus::HandedOff);
    assert_eq!((task.owner_epoch, task.handoff_count, task.revision), (2, 1, 5));
    assert_eq!(handoff.status(), HandoffStatus::Completed);
    assert_eq!((handoff.owner_epoch, handoff.revision), (2, 5));
    assert_eq!(handoff.context, Some(context()));
    assert_eq!(handoff.transfer.as_ref().unwrap().from_revision, 3);
    let steps: Vec<_> = handoff.steps.iter().map(|step| (step.step.as_str(), step.status())).collect();
    let done = StepStatus::Completed;
    assert_eq!(steps, [("validation", done), ("state_transfer", done), ("task_transfer", done)]);
    assert_eq!(clients.task("", "refund-17").await.unwrap(), task);
    assert_eq!(clients.handoff("", &handoff.handoff_id).await.unwrap(), handoff);

    let known = clients.state("", "billing").await.unwrap();
    assert_eq!(known.state, Some(object([("order", "1142"), ("desk", "3")])));
    assert_eq!((known.transferred_from.as_str(), known.revision), ("triage", 5));

    let history = clients.history("", "refund-17").await;
    let kinds: Vec<_> = history.iter().map(v1::TaskHistoryEntry::r#type).collect();
    let expected = [TaskHistoryType::Created, TaskHistoryType::Started, TaskHistoryType::HandoffCompleted];
    assert_eq!(kinds, expected);
    assert_eq!(history[2].handoff_id, handoff.handoff_id);

    let watch = WatchHandoffsRequest { start_revision: 1, ..Default::default() };
    let events = clients.events(watch, 5).await;
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].revision, events[0].r#type()), (5, EventType::HandoffCompleted));
    assert_eq!(events[0].handoff, Some(handoff));
    assert_eq!(events[0].task.as_ref().unwrap().owner_epoch, 2);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rust_client_tells_the_same_story() {
    let server = TestServer::start(&Disk::folder()).await;
    let client = baton_client::Client::connect(&format!("http://{}", server.address)).await.unwrap();
    let task = client.create_task("refund-17").agent("triage").owned().await.unwrap();
    task.start().await.unwrap();
    client.update_state("triage", serde_json::json!({"order": 1142})).await.unwrap();
    let handoff = task.hand_off("billing").reason("needs a refund").await.unwrap();
    let task = client.receive(&handoff).unwrap();
    task.start().await.unwrap();
    task.complete("refunded").await.unwrap();
    let known = client.get_state("billing").await.unwrap();
    assert_eq!(known.state, serde_json::json!({"order": 1142}));
    let history = client.task_history("refund-17").stream().into_vec().await.unwrap();
    assert_eq!(history.len(), 5);
    server.stop().await;
}
