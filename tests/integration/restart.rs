//! A stop and a start lose nothing and change nothing.

use baton_proto::v1;

use crate::harness::{Disk, TestServer, create, hand_off, show, state};

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
