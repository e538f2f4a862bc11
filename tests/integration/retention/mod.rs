//! Old events go from the log, and nothing else goes with them: what is shown of tasks, states and figures stays as it was.

mod bounds;
mod crashes;
mod starting;
mod watching;

use std::sync::Arc;

use baton_log::Plan;
use baton_proto::v1::{self, SummaryGrouping};
use baton_server::{Server, ServerError, clock::ManualClock, config::Config};

use crate::harness::{Clients, Disk, TestServer, config, create, hand_off, in_time, state};

/// When the tests' time begins, in microseconds since the Unix epoch.
const BEGINNING_US: i64 = 1_700_000_000_000_000;
const SECOND_US: i64 = 1_000_000;
/// How long events are kept where they are kept by age.
const AGE_S: u64 = 3_600;
/// The least number of bytes that can be set.
const SIZE_BYTES: u64 = 64 * 1024;

/// What the namespace is called that has no name.
const DEFAULT: &str = "default";

/// Looks every few milliseconds for what is too old.
fn by_age() -> Config {
    Config { retain_s: Some(AGE_S), retain_interval_ms: 10, ..config() }
}

/// Looks every few milliseconds for what is too much.
fn by_size() -> Config {
    Config { retain_bytes: Some(SIZE_BYTES), retain_interval_ms: 10, ..config() }
}

fn open(disk: &Disk, config: Config, clock: &ManualClock) -> Result<Server, ServerError> {
    disk.open_with(config, Plan::none(), Arc::new(clock.clone()))
}

async fn start(disk: &Disk, config: Config, clock: &ManualClock) -> TestServer {
    TestServer::serve(open(disk, config, clock).expect("the server can be opened")).await
}

/// The oldest revision that the server's log has of a namespace, as its metrics tell.
fn oldest(server: &TestServer, namespace: &str) -> u64 {
    let text = server.metrics.encode();
    let name = format!("baton_log_oldest_revision{{namespace=\"{namespace}\"}} ");
    let told = text.lines().find_map(|line| line.strip_prefix(&name));
    told.expect("each namespace tells its oldest revision").parse().expect("a revision is a number")
}

/// Waits until the log of a namespace begins at `revision`, and sees to it that it never begins later.
async fn begins_at(server: &TestServer, namespace: &str, revision: u64) {
    let mut clients = server.clients().await;
    let waited = in_time(async {
        while oldest(server, namespace) < revision {
            clients.monitor.get_server_info(v1::GetServerInfoRequest {}).await.expect("the server answers");
        }
    });
    waited.await;
    assert_eq!(oldest(server, namespace), revision, "{namespace} lost more than it should");
}

/// Creates so many tasks with descriptions of that many bytes, in batches; the first is `task-<from>`.
async fn create_many(clients: &mut Clients, namespace: &str, from: usize, count: usize, bytes: usize) {
    let indexes: Vec<usize> = (from..from + count).collect();
    for part in indexes.chunks(200) {
        let items = part.iter().map(|index| v1::CreateTaskRequest {
            description: "d".repeat(bytes),
            ..create(namespace, &format!("task-{index}"), "triage")
        });
        let request = v1::BatchCreateTasksRequest { items: items.collect(), namespace: namespace.into() };
        let answer =
            clients.tasks.batch_create_tasks(request).await.expect("a batch is answered").into_inner();
        assert!(answer.results.iter().all(|result| result.error.is_none()));
    }
}

/// The hand-off of a task of [`fill`], asked for with a request id.
fn asked(index: usize) -> v1::HandOffRequest {
    let request_id = format!("hand-off-{index}");
    v1::HandOffRequest { request_id, ..hand_off("", &format!("task-{index}"), "triage", "billing") }
}

/// Tasks, states, and hand-offs that complete and that are rejected: one event in each record.
async fn fill(clients: &mut Clients, from: usize, count: usize, triage: &str) {
    for index in from..from + count {
        let task = format!("task-{index}");
        let created = v1::CreateTaskRequest { description: triage.into(), ..create("", &task, "triage") };
        clients.create(created).await.expect("a new task is created");
        let note = state("", "triage", &[("order", task.as_str())]);
        clients.states.update_agent_state(note).await.expect("a state is updated");
        clients.hand_off(asked(index)).await.expect("the owner hands over");
        if index % 10 == 0 {
            clients.hand_off(hand_off("", &task, "triage", "legal")).await.expect_err("it is not the owner");
        }
    }
}

/// All that the default namespace shows, but for its events.
#[derive(Debug, PartialEq)]
struct Reads {
    head: u64,
    tasks: Vec<v1::Task>,
    histories: Vec<Vec<v1::TaskHistoryEntry>>,
    handoffs: Vec<v1::Handoff>,
    states: Vec<v1::AgentState>,
    state_histories: Vec<v1::GetStateHistoryResponse>,
    summaries: Vec<v1::GetSummaryResponse>,
    /// What is answered when hand-offs are asked for again by their request ids.
    repeated: Vec<(v1::Handoff, v1::Task)>,
}

/// Reads it all, after [`fill`]; there are at most 1,000 tasks and hand-offs.
async fn read(clients: &mut Clients) -> Reads {
    let head = clients.head("").await;
    let list = v1::ListTasksRequest { page_size: 1_000, ..Default::default() };
    let tasks = clients.tasks.list_tasks(list).await.expect("tasks are listed").into_inner().tasks;
    let mut histories = Vec::new();
    for task in &tasks {
        histories.push(clients.history("", &task.task_id).await);
    }
    let list = v1::ListHandoffsRequest { page_size: 1_000, ..Default::default() };
    let handoffs =
        clients.handoffs.list_handoffs(list).await.expect("hand-offs are listed").into_inner().handoffs;
    let (mut states, mut state_histories) = (Vec::new(), Vec::new());
    for agent in ["triage", "billing"] {
        states.push(clients.state("", agent).await.expect("it has a state"));
        let asked =
            v1::GetStateHistoryRequest { agent_id: agent.into(), page_size: 1_000, ..Default::default() };
        let history = clients.states.get_state_history(asked).await.expect("a state has a history");
        state_histories.push(history.into_inner());
    }
    let oldest_kept = state_histories[0].entries[0].revision;
    states.push(clients.state_at("", "triage", oldest_kept).await.expect("it is kept as it was then"));
    let mut summaries = Vec::new();
    for window in [None, Some(prost_types::Duration { seconds: 60, nanos: 0 })] {
        let group_by =
            [SummaryGrouping::Agent, SummaryGrouping::Pair, SummaryGrouping::Reason].map(i32::from);
        let asked = v1::GetSummaryRequest { group_by: group_by.into(), window, ..Default::default() };
        summaries.push(clients.monitor.get_summary(asked).await.expect("figures are given").into_inner());
    }
    let mut repeated = Vec::new();
    for index in [0, 7, 59] {
        repeated.push(clients.hand_off(asked(index)).await.expect("the first answer is given again"));
    }
    assert_eq!(clients.head("").await, head, "what is asked for again changes nothing");
    Reads { head, tasks, histories, handoffs, states, state_histories, summaries, repeated }
}
