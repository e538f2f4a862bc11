//! The figures are those that the histories give, for all and by group and window, also after restarts.

use std::{collections::BTreeMap, sync::Arc};

use baton_log::Plan;
use baton_proto::v1::{self, Figures, HandoffStatus, SummaryGrouping, TaskHistoryType};
use baton_server::clock::ManualClock;
use tokio::task::JoinSet;

use crate::harness::{Clients, Disk, TestServer, config, create, hand_off, in_time, seed, state};

/// When the tests' time begins, in microseconds since the Unix epoch.
const BEGINNING_US: i64 = 1_700_000_000_000_000;
const SECOND_US: i64 = 1_000_000;
const TASKS: usize = 60;

/// Hand-offs of every outcome, at times that a clock in the test's hand gives.
async fn fill(clients: &mut Clients, clock: &ManualClock, random: &mut fastrand::Rng) {
    clients.states.update_agent_state(state("", "a", &[("key", "of a")])).await.unwrap();
    clients.states.update_agent_state(state("", "c", &[("key", "of c")])).await.unwrap();
    for index in 0..TASKS {
        let task = format!("task-{index}");
        clients.create(create("", &task, "a")).await.unwrap();
        clock.advance(random.i64(0..90 * SECOND_US));
        let reason = ["refund", "fraud", "question"][random.usize(0..3)].to_owned();
        let asked = v1::HandOffRequest { reason: reason.clone(), ..hand_off("", &task, "a", "b") };
        match random.u32(0..6) {
            0 => {
                _ = clients.hand_off(v1::HandOffRequest { to_agent: "a".into(), ..asked }).await.unwrap_err()
            }
            1 => {
                let worse = v1::HandOffRequest { to_agent: "a".into(), owner_epoch: Some(8), ..asked };
                clients.hand_off(worse).await.unwrap_err();
            }
            2 => {
                let on_conflict = v1::ConflictPolicy::Fail.into();
                let transfer = Some(v1::TransferSpec { on_conflict, ..Default::default() });
                let failing = v1::HandOffRequest { to_agent: "c".into(), transfer, ..asked };
                clients.hand_off(failing).await.unwrap_err();
            }
            3 => _ = clients.hand_off(asked).await.unwrap(),
            choice => in_two_steps(clients, clock, random, &task, reason, choice == 4).await,
        }
    }
}

/// An initiation, and sometimes an end after a while.
async fn in_two_steps(
    clients: &mut Clients,
    clock: &ManualClock,
    random: &mut fastrand::Rng,
    task: &str,
    reason: String,
    execute: bool,
) {
    let (task_id, from_agent, to_agent) = (task.into(), "a".into(), "b".into());
    let initiate = v1::InitiateHandoffRequest { task_id, from_agent, to_agent, reason, ..Default::default() };
    let open = clients.handoffs.initiate_handoff(initiate).await.unwrap().into_inner().handoff.unwrap();
    clock.advance(random.i64(0..600 * SECOND_US));
    let handoff_id = open.handoff_id;
    if execute {
        let request = v1::ExecuteHandoffRequest { handoff_id, ..Default::default() };
        clients.handoffs.execute_handoff(request).await.unwrap();
    } else if random.bool() {
        let request = v1::WithdrawHandoffRequest { handoff_id, ..Default::default() };
        clients.handoffs.withdraw_handoff(request).await.unwrap();
    }
}

fn us(time: Option<&prost_types::Timestamp>) -> i64 {
    time.map_or(0, |time| time.seconds * SECOND_US + i64::from(time.nanos) / 1_000)
}

fn figures(mut values: Vec<f64>) -> Figures {
    values.sort_by(f64::total_cmp);
    let Some(max) = values.last() else { return Figures::default() };
    // The least value that at least so many percent do not exceed, found by trying them all.
    let rank = |percent: usize| {
        let covers = |value: &&f64| {
            values.iter().filter(|other| other <= value).count() * 100 >= percent * values.len()
        };
        *values.iter().find(covers).expect("the greatest covers all")
    };
    let total: f64 = values.iter().sum();
    Figures {
        count: values.len() as u64,
        total,
        average: total / values.len() as f64,
        min: values[0],
        max: *max,
        p50: rank(50),
        p95: rank(95),
        p99: rank(99),
    }
}

/// The figures, by the hand-offs themselves.
fn by_hand<'a>(handoffs: impl IntoIterator<Item = &'a v1::Handoff>) -> v1::Summary {
    let all: Vec<_> = handoffs.into_iter().collect();
    let count = |status| all.iter().filter(|handoff| handoff.status() == status).count() as u64;
    let ended: Vec<_> = all.iter().filter(|handoff| handoff.status() != HandoffStatus::Initiated).collect();
    let success = |handoff: &v1::Handoff| f64::from(u8::from(handoff.status() == HandoffStatus::Completed));
    let errors =
        |handoff: &v1::Handoff| handoff.validation.as_ref().map_or(0, |verdict| verdict.errors.len()) as f64;
    let executed = ended
        .iter()
        .filter(|handoff| matches!(handoff.status(), HandoffStatus::Completed | HandoffStatus::Failed))
        .map(|handoff| (us(handoff.completed_at.as_ref()) - us(handoff.created_at.as_ref())) as f64 / 1e6);
    v1::Summary {
        hand_off_count: Some(figures(vec![1.0; ended.len()])),
        success_rate: Some(figures(ended.iter().map(|handoff| success(handoff)).collect())),
        validation_errors: Some(figures(ended.iter().map(|handoff| errors(handoff)).collect())),
        duration_seconds: Some(figures(executed.collect())),
        completed: count(HandoffStatus::Completed),
        failed: count(HandoffStatus::Failed),
        rejected: count(HandoffStatus::Rejected),
        withdrawn: count(HandoffStatus::Withdrawn),
        open: count(HandoffStatus::Initiated),
    }
}

async fn ask(clients: &mut Clients, request: v1::GetSummaryRequest) -> v1::GetSummaryResponse {
    clients.monitor.get_summary(request).await.unwrap().into_inner()
}

async fn check(clients: &mut Clients, clock: &ManualClock) {
    let list = v1::ListHandoffsRequest { page_size: 1_000, ..Default::default() };
    let handoffs = clients.handoffs.list_handoffs(list).await.unwrap().into_inner().handoffs;
    let answer = ask(clients, v1::GetSummaryRequest { group_by: vec![1, 2, 3], ..Default::default() }).await;
    assert_eq!(answer.total, Some(by_hand(&handoffs)));
    check_histories(clients, &answer.total.unwrap()).await;
    check_groups(&handoffs, &answer.groups);

    let of_c = v1::GetSummaryRequest { agent_id: "c".into(), ..Default::default() };
    let with_c = handoffs.iter().filter(|handoff| handoff.to_agent == "c" || handoff.from_agent == "c");
    assert_eq!(ask(clients, of_c).await.total, Some(by_hand(with_c)));
    for seconds in [1, 60, 600, 3_600, 1_000_000] {
        let window = Some(prost_types::Duration { seconds, nanos: 0 });
        let since = clock.advance(0) - seconds * SECOND_US;
        let recent = handoffs.iter().filter(|handoff| us(handoff.created_at.as_ref()) >= since);
        let answer = ask(clients, v1::GetSummaryRequest { window, ..Default::default() }).await;
        assert_eq!(answer.total, Some(by_hand(recent)), "in the last {seconds} s");
    }
}

/// The counts are those of the tasks' histories.
async fn check_histories(clients: &mut Clients, total: &v1::Summary) {
    let mut counts = BTreeMap::new();
    for index in 0..TASKS {
        for entry in clients.history("", &format!("task-{index}")).await {
            *counts.entry(entry.r#type()).or_insert(0) += 1;
        }
    }
    let mut count = |wanted| counts.remove(&wanted).unwrap_or(0);
    use TaskHistoryType::{HandoffCompleted, HandoffFailed, HandoffRejected, HandoffWithdrawn};
    let told = [HandoffCompleted, HandoffFailed, HandoffRejected, HandoffWithdrawn].map(&mut count);
    assert_eq!(told, [total.completed, total.failed, total.rejected, total.withdrawn]);
    assert!(told.iter().all(|count| *count > 0), "each outcome is met: {told:?}");
}

fn check_groups(handoffs: &[v1::Handoff], groups: &[v1::SummaryGroup]) {
    let mut found = 0;
    for group in groups {
        let belongs = |handoff: &&v1::Handoff| match group.grouping() {
            SummaryGrouping::Agent => {
                handoff.from_agent == group.agent_id || handoff.to_agent == group.agent_id
            }
            SummaryGrouping::Pair => {
                handoff.from_agent == group.agent_id && handoff.to_agent == group.to_agent
            }
            SummaryGrouping::Reason => handoff.reason == group.reason,
            SummaryGrouping::Unspecified => panic!("a group of nothing"),
        };
        assert_eq!(group.summary, Some(by_hand(handoffs.iter().filter(belongs))), "{group:?}");
        found += 1;
    }
    // The agents a, b, c; the pairs a-a, a-b, a-c; three reasons.
    assert_eq!(found, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_are_what_the_histories_say_also_after_restarts() {
    let mut random = fastrand::Rng::with_seed(seed());
    let clock = ManualClock::at(BEGINNING_US);
    for disk in [Disk::memory(), Disk::folder()] {
        let open = || disk.open_with(config(), Plan::none(), Arc::new(clock.clone())).unwrap();
        let server = TestServer::serve(open()).await;
        let mut clients = server.clients().await;
        assert_eq!(clients.summary("").await, by_hand([]), "all is 0 where nothing happened");
        fill(&mut clients, &clock, &mut random).await;
        check(&mut clients, &clock).await;
        let before = clients.summary("").await;
        server.stop().await;

        let server = TestServer::serve(open()).await;
        let mut clients = server.clients().await;
        check(&mut clients, &clock).await;
        assert_eq!(clients.summary("").await, before);
        server.stop().await;
    }
}

/// Open hand-offs that are executed while figures are asked for: more than the server counts at once.
const OPEN: usize = 4_000;

async fn open_many(clients: &mut Clients) -> Vec<String> {
    let mut ids = Vec::new();
    for chunk in (0..OPEN).collect::<Vec<_>>().chunks(1_000) {
        let items = chunk.iter().map(|index| create("", &format!("task-{index}"), "a")).collect();
        let batch = v1::BatchCreateTasksRequest { items, namespace: String::new() };
        clients.tasks.batch_create_tasks(batch).await.unwrap();
        let mut asked = JoinSet::new();
        for index in chunk {
            let (mut caller, task_id) = (clients.clone(), format!("task-{index}"));
            let (from_agent, to_agent, reason) = ("a".into(), "b".into(), "later".into());
            let request =
                v1::InitiateHandoffRequest { task_id, from_agent, to_agent, reason, ..Default::default() };
            asked.spawn(async move { caller.handoffs.initiate_handoff(request).await.unwrap().into_inner() });
        }
        let opened = in_time(asked.join_all()).await;
        ids.extend(opened.into_iter().map(|answer| answer.handoff.unwrap().handoff_id));
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_are_true_at_one_revision_while_hand_offs_end() {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    let ids = open_many(&mut clients).await;
    let opened = clients.head("").await;
    let mut executing = JoinSet::new();
    for part in ids.chunks(OPEN / 8) {
        let (mut caller, part) = (clients.clone(), part.to_vec());
        executing.spawn(async move {
            for handoff_id in part {
                let request = v1::ExecuteHandoffRequest { handoff_id, ..Default::default() };
                caller.handoffs.execute_handoff(request).await.unwrap();
            }
        });
    }
    let mut asker = server.clients().await;
    while !executing.is_empty() {
        let answer = ask(&mut asker, v1::GetSummaryRequest::default()).await;
        let total = answer.total.unwrap();
        // From here on each event is the execution of one.
        assert_eq!(total.completed, answer.revision - opened, "completed at revision {}", answer.revision);
        assert_eq!(total.completed + total.open, OPEN as u64);
        while let Some(part) = executing.try_join_next() {
            part.unwrap();
        }
    }
    server.stop().await;
}
