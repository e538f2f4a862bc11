//! Finished tasks leave memory for the archive, and nobody can tell: everything is shown and refused as if they were still there.

mod kills;
mod reads;
mod starts;

use std::sync::Arc;

use baton_log::Plan;
use baton_proto::v1::{self, SummaryGrouping, TaskStatus};
use baton_server::{clock::ManualClock, config::Config};
use tonic::Status;

use crate::harness::{Clients, Disk, TestServer, config, create, hand_off, in_time, state};

/// When the tests' time begins, in microseconds since the Unix epoch.
const BEGINNING_US: i64 = 1_700_000_000_000_000;

/// Checkpoints as often as can be set; what is finished before one is archived with the next.
fn often() -> Config {
    Config { checkpoint_events: 100, ..config() }
}

/// No checkpoint but the last, and nothing archived.
fn never() -> Config {
    Config { checkpoint_events: 100_000_000, ..config() }
}

async fn serve(disk: &Disk, config: Config, clock: &ManualClock) -> TestServer {
    let opened = disk.open_with(config, Plan::none(), Arc::new(clock.clone()));
    TestServer::serve(opened.expect("the server can be opened")).await
}

/// How many tasks of the default namespace are archived, as the metrics tell.
fn archived(server: &TestServer) -> u64 {
    let text = server.metrics.encode();
    let told =
        text.lines().find_map(|line| line.strip_prefix("baton_archived_tasks{namespace=\"default\"} "));
    told.map_or(0, |count| count.parse().expect("a count is a number"))
}

/// Waits until so many tasks are archived.
async fn archives(server: &TestServer, count: u64) {
    let mut clients = server.clients().await;
    let waited = in_time(async {
        while archived(server) < count {
            clients.monitor.get_server_info(v1::GetServerInfoRequest {}).await.expect("the server answers");
        }
    });
    waited.await;
}

/// Tasks with completed and rejected hand-offs, of which three in four are finished; one of them has an open hand-off.
async fn fill(clients: &mut Clients, from: usize, count: usize) {
    for index in from..from + count {
        let task = format!("task-{index:04}");
        clients.create(create("", &task, "triage")).await.unwrap();
        clients.states.update_agent_state(state("", "triage", &[("order", task.as_str())])).await.unwrap();
        if index % 5 == 0 {
            clients.hand_off(hand_off("", &task, "nobody", "legal")).await.unwrap_err();
        }
        let request_id = format!("hand-off-{index}");
        let asked = v1::HandOffRequest { request_id, ..hand_off("", &task, "triage", "billing") };
        clients.hand_off(asked).await.unwrap();
        if index == 7 {
            clients.handoffs.initiate_handoff(initiate(&task)).await.unwrap();
        }
        if index % 4 != 0 {
            clients.tasks.cancel_task(cancel(&task)).await.unwrap();
        }
    }
}

fn cancel(task_id: &str) -> v1::CancelTaskRequest {
    v1::CancelTaskRequest {
        task_id: task_id.into(),
        outcome: "no longer needed".into(),
        ..Default::default()
    }
}

fn initiate(task_id: &str) -> v1::InitiateHandoffRequest {
    v1::InitiateHandoffRequest {
        task_id: task_id.into(),
        from_agent: "billing".into(),
        to_agent: "legal".into(),
        reason: "to be signed".into(),
        ..Default::default()
    }
}

/// All that can be read of the default namespace, in all the ways in which it can be read.
#[derive(Debug, PartialEq)]
struct Reads {
    tasks: Vec<v1::Task>,
    each: Vec<(v1::Task, Vec<v1::TaskHistoryEntry>, v1::Verdict)>,
    handoffs: Vec<v1::Handoff>,
    each_handoff: Vec<v1::Handoff>,
    cancelled: Vec<v1::Task>,
    of_task: Vec<v1::Handoff>,
    figures: v1::GetSummaryResponse,
    refusals: Vec<(tonic::Code, String)>,
}

async fn read(clients: &mut Clients) -> Reads {
    let list = v1::ListTasksRequest { page_size: 1_000, ..Default::default() };
    let tasks = clients.tasks.list_tasks(list).await.unwrap().into_inner().tasks;
    let list = v1::ListHandoffsRequest { page_size: 1_000, ..Default::default() };
    let handoffs = clients.handoffs.list_handoffs(list).await.unwrap().into_inner().handoffs;
    let (mut each, mut each_handoff) = (Vec::new(), Vec::new());
    for task in &tasks {
        let validated = clients.rules.validate_handoff(validation(&task.task_id)).await.unwrap().into_inner();
        let history = clients.history("", &task.task_id).await;
        each.push((clients.task("", &task.task_id).await.unwrap(), history, validated.verdict.unwrap()));
    }
    for handoff in &handoffs {
        each_handoff.push(clients.handoff("", &handoff.handoff_id).await.unwrap());
    }
    let groupings = [SummaryGrouping::Agent, SummaryGrouping::Pair].map(Into::into).to_vec();
    let request = v1::GetSummaryRequest { group_by: groupings, ..Default::default() };
    let figures = clients.monitor.get_summary(request).await.unwrap().into_inner();
    let cancelled = tasks_of(clients, TaskStatus::Cancelled).await;
    let of_task = handoffs_of(clients, "task-0005").await;
    let refusals = refusals(clients, &handoffs).await;
    Reads { tasks, each, handoffs, each_handoff, cancelled, of_task, figures, refusals }
}

fn validation(task_id: &str) -> v1::ValidateHandoffRequest {
    v1::ValidateHandoffRequest {
        task_id: task_id.into(),
        from_agent: "billing".into(),
        to_agent: "legal".into(),
        reason: "what would be said".into(),
        ..Default::default()
    }
}

/// The tasks of a status, by pages that are smaller than what is archived.
async fn tasks_of(clients: &mut Clients, status: TaskStatus) -> Vec<v1::Task> {
    let (mut tasks, mut page_token) = (Vec::new(), String::new());
    loop {
        let request =
            v1::ListTasksRequest { status: status.into(), page_size: 7, page_token, ..Default::default() };
        let page = clients.tasks.list_tasks(request).await.unwrap().into_inner();
        assert!(page.tasks.len() <= 7);
        tasks.extend(page.tasks);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return tasks;
        }
    }
}

/// The hand-offs of a task.
async fn handoffs_of(clients: &mut Clients, task_id: &str) -> Vec<v1::Handoff> {
    let (mut handoffs, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListHandoffsRequest {
            task_id: task_id.into(),
            page_size: 1,
            page_token,
            ..Default::default()
        };
        let page = clients.handoffs.list_handoffs(request).await.unwrap().into_inner();
        handoffs.extend(page.handoffs);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return handoffs;
        }
    }
}

/// What is said to commands about tasks and hand-offs that are over, and to repeated requests; none of it is recorded.
async fn refusals(clients: &mut Clients, handoffs: &[v1::Handoff]) -> Vec<(tonic::Code, String)> {
    let mut said = Vec::new();
    let note = |status: Status| (status.code(), status.message().to_owned());
    for index in [1, 5, 6] {
        let task_id = format!("task-{index:04}");
        let again = v1::CreateTaskRequest { request_id: String::new(), ..create("", &task_id, "triage") };
        said.push(note(clients.create(again).await.unwrap_err()));
        let update = crate::harness::start("", &task_id);
        said.push(note(clients.tasks.update_task(update).await.unwrap_err()));
        said.push(note(clients.tasks.cancel_task(cancel(&task_id)).await.unwrap_err()));
        let handoff = handoffs.iter().find(|handoff| handoff.task_id == task_id).unwrap();
        let handoff_id = handoff.handoff_id.clone();
        let withdraw = v1::WithdrawHandoffRequest { handoff_id, ..Default::default() };
        said.push(note(clients.handoffs.withdraw_handoff(withdraw).await.unwrap_err()));
        let request_id = format!("hand-off-{index}");
        let repeated = v1::HandOffRequest { request_id, ..hand_off("", &task_id, "triage", "billing") };
        let (given, _) = clients.hand_off(repeated).await.expect("the first answer is given again");
        said.push((tonic::Code::Ok, format!("{given:?}")));
    }
    said.push(note(clients.task("", "unknown").await.unwrap_err()));
    said.push(note(clients.handoff("", "h-1").await.unwrap_err()));
    let withdraw = v1::WithdrawHandoffRequest { handoff_id: "h-1".into(), ..Default::default() };
    said.push(note(clients.handoffs.withdraw_handoff(withdraw).await.unwrap_err()));
    said
}
