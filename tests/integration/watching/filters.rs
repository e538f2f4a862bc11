//! Filters: the same events that one would pick out of all of them by hand.

use baton_proto::v1::{self, EventType, HandoffEvent, WatchFilter, WatchHandoffsRequest};

use crate::harness::{Clients, Disk, TestServer, create, hand_off, seed, start, state};

pub(super) const AGENTS: [&str; 5] = ["a", "b", "c", "d", "e"];
pub(super) const TASKS: usize = 12;

fn any(list: &[String], value: &str) -> bool {
    list.iter().any(|wanted| wanted == value)
}

/// What the contract says of filters, on the events as they are told.
pub(super) fn by_hand(filter: &WatchFilter, all_events: bool, event: &HandoffEvent) -> bool {
    let handoff = event.handoff.as_ref();
    let task = event.task.as_ref().map(|task| task.task_id.as_str());
    let owner = event.task.as_ref().map(|task| task.assigned_agent.as_str());
    let agents = match handoff {
        Some(handoff) => vec![handoff.from_agent.as_str(), &handoff.to_agent],
        None => [owner, Some(&event.agent_id), Some(&event.transferred_from)].into_iter().flatten().collect(),
    };
    (all_events || handoff.is_some())
        && (filter.task_ids.is_empty() || task.is_some_and(|task| any(&filter.task_ids, task)))
        && (filter.agent_ids.is_empty() || agents.into_iter().any(|agent| any(&filter.agent_ids, agent)))
        && (filter.from_agents.is_empty()
            || handoff.is_some_and(|of| any(&filter.from_agents, &of.from_agent)))
        && (filter.to_agents.is_empty() || handoff.is_some_and(|of| any(&filter.to_agents, &of.to_agent)))
        && (filter.types.is_empty() || filter.types.contains(&event.r#type))
}

/// A filter with each list left out more often than not.
pub(super) fn drawn(random: &mut fastrand::Rng, all_events: bool) -> WatchFilter {
    let mut some = |names: &[String]| -> Vec<String> {
        let count = if random.u32(0..3) == 0 { random.usize(1..=2) } else { 0 };
        (0..count).map(|_| random.choice(names).expect("there are some").clone()).collect()
    };
    let agents = AGENTS.map(str::to_owned);
    let tasks: Vec<_> = (0..TASKS).map(|index| format!("task-{index}")).collect();
    let (task_ids, agent_ids) = (some(&tasks), some(&agents));
    let (from_agents, to_agents) = (some(&agents), some(&agents));
    let mut types = vec![EventType::HandoffCompleted, EventType::HandoffRejected];
    if all_events {
        types.extend([EventType::TaskCreated, EventType::TaskUpdated, EventType::StateUpdated]);
    }
    types.retain(|_| random.u32(0..4) == 0);
    let types = types.into_iter().map(Into::into).collect();
    WatchFilter { task_ids, agent_ids, from_agents, to_agents, types }
}

/// Lets something happen to one of the tasks, or to the state of one of the agents.
pub(super) async fn act(clients: &mut Clients, random: &mut fastrand::Rng) {
    let task = format!("task-{}", random.usize(0..TASKS));
    let (from, to) = (AGENTS[random.usize(0..5)], AGENTS[random.usize(0..5)]);
    match random.u32(0..4) {
        0 => _ = clients.states.update_agent_state(state("", from, &[("key", to)])).await.unwrap(),
        // Refusals without a trace and with one are part of it.
        1 => _ = clients.tasks.update_task(start("", &task)).await,
        _ => _ = clients.hand_off(hand_off("", &task, from, to)).await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filtered_watch_gives_what_one_would_pick_by_hand() {
    let mut random = fastrand::Rng::with_seed(seed());
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    for index in 0..TASKS {
        let task = format!("task-{index}");
        clients.create(create("", &task, AGENTS[index % 5])).await.unwrap();
    }
    for _ in 0..150 {
        act(&mut clients, &mut random).await;
    }
    let head = clients.head("").await;
    let all = WatchHandoffsRequest { start_revision: 1, all_events: true, ..Default::default() };
    let all = clients.events(all, head).await;
    let mut matched = 0;
    for _ in 0..200 {
        let all_events = random.bool();
        let filter = drawn(&mut random, all_events);
        let expected: Vec<_> =
            all.iter().filter(|event| by_hand(&filter, all_events, event)).cloned().collect();
        let request = WatchHandoffsRequest {
            start_revision: 1,
            all_events,
            filter: Some(filter.clone()),
            progress_interval: Some(prost_types::Duration { seconds: 0, nanos: 100_000_000 }),
            ..Default::default()
        };
        let last = expected.last().map_or(0, |event| event.revision);
        assert_eq!(clients.events(request, last).await, expected, "{filter:?}, all_events: {all_events}");
        matched += expected.len();
    }
    assert!(matched > 500, "only {matched} events matched any filter");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_values_as_a_filter_may_have_are_taken() {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    clients.create(create("", "task-999", "a")).await.unwrap();
    clients.hand_off(hand_off("", "task-999", "a", "b")).await.unwrap();
    let task_ids = (0..1_000).map(|index| format!("task-{index}")).collect();
    let filter = Some(v1::WatchFilter { task_ids, ..Default::default() });
    let request = WatchHandoffsRequest { start_revision: 1, filter, ..Default::default() };
    assert_eq!(clients.events(request, 2).await.len(), 1);
    server.stop().await;
}
