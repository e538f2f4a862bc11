//! Namespaces are apart in everything: ids, revisions, rules, figures, events.

use baton_proto::v1::{self, ErrorReason, WatchHandoffsRequest};

use crate::harness::{Clients, Disk, Refused, TestServer, create, hand_off, in_time, state};

async fn allow_self_hand_offs(clients: &mut Clients, namespace: &str) {
    let request = v1::RemoveValidationRuleRequest {
        namespace: namespace.into(),
        name: "self_handoff".into(),
        ..Default::default()
    };
    clients.rules.remove_validation_rule(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_in_one_is_not_seen_in_another() {
    let disk = Disk::folder();
    let server = TestServer::start(&disk).await;
    let mut clients = server.clients().await;
    let watch = |namespace: &str| WatchHandoffsRequest {
        namespace: namespace.into(),
        all_events: true,
        progress_interval: Some(prost_types::Duration { seconds: 0, nanos: 100_000_000 }),
        ..Default::default()
    };
    let mut south = clients.watch(watch("south")).await.unwrap();
    clients.create(create("north", "task", "a")).await.unwrap();
    clients.states.update_agent_state(state("north", "a", &[("key", "value")])).await.unwrap();
    let (handoff, _) = clients.hand_off(hand_off("north", "task", "a", "b")).await.unwrap();
    allow_self_hand_offs(&mut clients, "north").await;

    let reasons = [
        Refused::of(clients.task("south", "task").await).reason(),
        Refused::of(clients.state("south", "a").await).reason(),
        Refused::of(clients.handoff("south", &handoff.handoff_id).await).reason(),
        Refused::of(clients.task("", "task").await).reason(),
        Refused::of(clients.task("North", "task").await).reason(),
    ];
    use ErrorReason::{AgentNotFound, HandoffNotFound, TaskNotFound};
    assert_eq!(reasons, [TaskNotFound, AgentNotFound, HandoffNotFound, TaskNotFound, TaskNotFound]);
    assert_eq!((clients.head("north").await, clients.head("south").await), (4, 0));
    for _ in 0..3 {
        let message = in_time(south.message()).await.unwrap().unwrap();
        assert_eq!((message.revision, message.events.len()), (0, 0), "the south heard of the north");
    }

    let task = clients.create(create("south", "task", "z")).await.unwrap();
    assert_eq!((task.revision, task.assigned_agent.as_str()), (1, "z"), "ids and revisions are its own");
    let itself = Refused::of(clients.hand_off(hand_off("south", "task", "z", "z")).await);
    assert_eq!(itself.rules(), ["self_handoff"], "rules are its own");
    clients.hand_off(hand_off("north", "task", "b", "b")).await.expect("in the north the rule is off");
    server.stop().await;

    let server = TestServer::start(&disk).await;
    let mut clients = server.clients().await;
    assert_eq!((clients.head("north").await, clients.head("south").await), (5, 2));
    let verified = clients.verify("").await.unwrap();
    let verified: Vec<_> =
        verified.iter().map(|done| (done.namespace.as_str(), done.verified_revision)).collect();
    assert_eq!(verified, [("north", 5), ("south", 2)]);
    let (north, south) = (clients.summary("north").await, clients.summary("south").await);
    assert_eq!((north.completed, north.rejected, south.completed, south.rejected), (2, 0, 0, 1));
    let info = clients.monitor.get_server_info(v1::GetServerInfoRequest {}).await.unwrap().into_inner();
    assert_eq!(info.namespaces, 2);
    clients.hand_off(hand_off("north", "task", "b", "b")).await.expect("the rule is still off");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_namespaces_written_at_once_each_keep_their_own_order() {
    let disk = Disk::folder();
    let server = TestServer::start(&disk).await;
    let mut writing = tokio::task::JoinSet::new();
    for index in 0..40 {
        let mut clients = server.clients().await;
        writing.spawn(async move {
            let namespace = format!("tenant-{index}");
            clients.create(create(&namespace, "task", "agent-0")).await.unwrap();
            for hop in 0..10 {
                let (from, to) = (format!("agent-{hop}"), format!("agent-{}", hop + 1));
                let (handoff, _) = clients.hand_off(hand_off(&namespace, "task", &from, &to)).await.unwrap();
                assert_eq!(handoff.revision, hop + 2);
            }
        });
    }
    in_time(writing.join_all()).await;
    server.stop().await;
    let server = TestServer::start(&disk).await;
    let mut clients = server.clients().await;
    for index in 0..40 {
        let task = clients.task(&format!("tenant-{index}"), "task").await.unwrap();
        assert_eq!((task.assigned_agent.as_str(), task.owner_epoch, task.revision), ("agent-10", 11, 11));
    }
    assert_eq!(clients.verify("").await.unwrap().len(), 40);
    server.stop().await;
}
