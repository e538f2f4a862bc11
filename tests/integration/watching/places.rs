//! Where a watch begins: now, at a revision, in the future, in another log.

use baton_proto::v1::{self, ErrorReason, EventType, WatchHandoffsRequest};

use crate::harness::{
    Clients, Disk, Refused, TestServer, create, events_until, hand_off, in_time, start, state,
};

/// One event of each type that there is, revisions 1 to 13.
async fn one_of_each(clients: &mut Clients) -> Vec<EventType> {
    let task = |task_id: &str| v1::CompleteTaskRequest { task_id: task_id.into(), ..Default::default() };
    for name in ["one", "two", "three"] {
        clients.create(create("", name, "a")).await.unwrap();
    }
    clients.tasks.update_task(start("", "one")).await.unwrap();
    clients.tasks.complete_task(task("one")).await.unwrap();
    clients.tasks.update_task(start("", "two")).await.unwrap();
    let fail = v1::FailTaskRequest { task_id: "two".into(), ..Default::default() };
    clients.tasks.fail_task(fail).await.unwrap();
    clients.states.update_agent_state(state("", "a", &[("key", "of a")])).await.unwrap();
    clients.states.update_agent_state(state("", "b", &[("key", "of b")])).await.unwrap();
    let transfer =
        v1::TransferStateRequest { from_agent: "a".into(), to_agent: "c".into(), ..Default::default() };
    clients.states.transfer_state(transfer).await.unwrap();
    let name = || "state_size".to_owned();
    let remove = v1::RemoveValidationRuleRequest { name: name(), ..Default::default() };
    clients.rules.remove_validation_rule(remove).await.unwrap();
    let rule = Some(v1::ValidationRule { name: name(), ..Default::default() });
    clients
        .rules
        .add_validation_rule(v1::AddValidationRuleRequest { rule, ..Default::default() })
        .await
        .unwrap();
    clients.hand_off(hand_off("", "three", "a", "a")).await.unwrap_err();
    let fail = v1::TransferSpec { on_conflict: v1::ConflictPolicy::Fail.into(), ..Default::default() };
    let failing = v1::HandOffRequest { transfer: Some(fail), ..hand_off("", "three", "a", "b") };
    clients.hand_off(failing).await.unwrap_err();
    let initiate = v1::InitiateHandoffRequest {
        task_id: "three".into(),
        from_agent: "a".into(),
        to_agent: "b".into(),
        reason: "later".into(),
        ..Default::default()
    };
    let open = clients.handoffs.initiate_handoff(initiate).await.unwrap().into_inner().handoff.unwrap();
    let withdraw = v1::WithdrawHandoffRequest { handoff_id: open.handoff_id, ..Default::default() };
    clients.handoffs.withdraw_handoff(withdraw).await.unwrap();
    clients.hand_off(hand_off("", "three", "a", "b")).await.unwrap();
    let cancel = v1::CancelTaskRequest { task_id: "three".into(), ..Default::default() };
    clients.tasks.cancel_task(cancel).await.unwrap();
    use EventType::*;
    vec![
        TaskCreated,
        TaskCreated,
        TaskCreated,
        TaskUpdated,
        TaskCompleted,
        TaskUpdated,
        TaskFailed,
        StateUpdated,
        StateUpdated,
        StateTransferred,
        RuleRemoved,
        RuleAdded,
        HandoffRejected,
        HandoffFailed,
        HandoffInitiated,
        HandoffWithdrawn,
        HandoffCompleted,
        TaskCancelled,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn all_events_come_dense_and_say_what_they_are_about() {
    let server = TestServer::start(&Disk::folder()).await;
    let mut clients = server.clients().await;
    let all = WatchHandoffsRequest { all_events: true, ..Default::default() };
    let mut live = clients.watch(all.clone()).await.unwrap();
    let types = one_of_each(&mut clients).await;
    let head = types.len() as u64;
    let events = events_until(&mut live, head).await;
    assert_eq!(events.iter().map(v1::HandoffEvent::r#type).collect::<Vec<_>>(), types);
    assert!(events.iter().map(|event| event.revision).eq(1..=head));
    assert!(events.is_sorted_by_key(|event| event.timestamp.map(|time| (time.seconds, time.nanos))));
    for event in &events {
        let number = event.r#type() as i32;
        assert_eq!(event.handoff.is_some(), number < 16, "{event:?}");
        assert_eq!(event.task.is_some(), number < 32, "{event:?}");
        assert_eq!(!event.agent_id.is_empty(), (32..48).contains(&number), "{event:?}");
        assert_eq!(event.rule.is_some(), number >= 48, "{event:?}");
    }
    assert_eq!((events[9].agent_id.as_str(), events[9].transferred_from.as_str()), ("c", "a"));

    let again = clients.events(WatchHandoffsRequest { start_revision: 1, ..all }, head).await;
    assert_eq!(again, events, "what is told later is what was told live");
    let handoffs = WatchHandoffsRequest { start_revision: 1, ..Default::default() };
    let handoffs = clients.events(handoffs, 17).await;
    assert_eq!(handoffs, events[12..17], "without all_events, those of hand-offs");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_begins_where_it_was_asked_to() {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    let head = one_of_each(&mut clients).await.len() as u64;
    let info = clients.monitor.get_server_info(v1::GetServerInfoRequest {}).await.unwrap().into_inner();
    let all = || WatchHandoffsRequest { all_events: true, log_id: info.log_id.clone(), ..Default::default() };
    for start_revision in [1, 2, 7, head] {
        let events = clients.events(WatchHandoffsRequest { start_revision, ..all() }, head).await;
        assert!(events.iter().map(|event| event.revision).eq(start_revision..=head));
    }
    let mut from_now = clients.watch(all()).await.unwrap();
    let mut from_next =
        clients.watch(WatchHandoffsRequest { start_revision: head + 1, ..all() }).await.unwrap();
    let future = WatchHandoffsRequest { start_revision: head + 2, ..all() };
    assert_eq!(Refused::of(clients.watch(future).await).reason(), ErrorReason::RevisionInFuture);
    let first = in_time(from_now.message()).await.unwrap().unwrap();
    assert_eq!((first.events.len(), first.revision, &first.log_id), (0, head, &info.log_id), "told at once");
    clients.create(create("", "new", "a")).await.unwrap();
    for stream in [&mut from_now, &mut from_next] {
        let events = events_until(stream, head + 1).await;
        assert_eq!(events.iter().map(|event| event.revision).collect::<Vec<_>>(), [head + 1]);
    }
    let other = WatchHandoffsRequest { start_revision: 1, log_id: "other".into(), ..Default::default() };
    assert_eq!(Refused::of(clients.watch(other).await).reason(), ErrorReason::LogMismatch);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_wants_nothing_is_told_how_far_it_is() {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    let request = WatchHandoffsRequest {
        progress_interval: Some(prost_types::Duration { seconds: 0, nanos: 100_000_000 }),
        filter: Some(v1::WatchFilter { task_ids: vec!["another".into()], ..Default::default() }),
        ..Default::default()
    };
    let mut stream = clients.watch(request).await.unwrap();
    let head = one_of_each(&mut clients).await.len() as u64;
    let events = events_until(&mut stream, head).await;
    assert_eq!(events, []);
    server.stop().await;
}
