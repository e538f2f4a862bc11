//! Finishes many tasks, and tells what memory the process has on the way and what creating one costs then:
//! `cargo run --release -p baton-server --example finished_tasks -- DIR COUNT`, once to fill, once more to start on it.
//!
//! Speaks to the engine, without a network.
#![allow(clippy::print_stderr, reason = "the figures are what one looks for")]

use std::{env, fs, path::PathBuf, sync::Arc, time::Instant};

use baton_core::{
    Action, AgentId, Claim, Command, CreateTask, End, EndTask, Object, Proposal, TaskId, Text, TransferSpec,
};
use baton_server::{Server, config::Config, engine::Engine, metrics::Metrics};

/// Tasks that are under way at once.
const AT_ONCE: usize = 1_000;
/// How often it tells.
const TOLD: usize = 20_000;

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut arguments = env::args().skip(1);
    let data = PathBuf::from(arguments.next().ok_or("the folder is missing")?);
    let count: usize = arguments.next().ok_or("the count is missing")?.parse()?;
    let started = Instant::now();
    let server = Server::open(Config { data, ..Config::default() }, Arc::new(Metrics::new()))?;
    let engine = server.engine().clone();
    let name = Arc::from("default");
    tell(&engine, &format!("started in {:.1?}", started.elapsed()))?;
    let from = archived(&engine) as usize + in_memory(&engine);
    let began = Instant::now();
    for first in (from..from + count).step_by(AT_ONCE) {
        for action in [created, handed_on, cancelled] {
            all(&engine, &name, (first..first + AT_ONCE).map(action)).await?;
        }
        let done = first + AT_ONCE - from;
        if done.is_multiple_of(TOLD) {
            tell(&engine, &format!("{done} finished in {:.1?}", began.elapsed()))?;
        }
    }
    let probing = Instant::now();
    let probed = 20_000;
    for first in (0..probed).step_by(AT_ONCE) {
        let fresh =
            (first..first + AT_ONCE).map(|index| create(format!("probe-{from}-{}", scattered(index))));
        all(&engine, &name, fresh).await?;
    }
    tell(&engine, &format!("a new task takes {:.1?}", probing.elapsed() / probed as u32))?;
    Ok(())
}

async fn all(engine: &Engine, name: &Arc<str>, actions: impl Iterator<Item = Action>) -> Result<(), Failure> {
    let waiting: Vec<_> =
        actions.map(|action| engine.submit(name, Command::new("", 0, action), 512, None)).collect();
    for answer in waiting {
        answer?.await??;
    }
    Ok(())
}

fn created(index: usize) -> Action {
    create(id(index))
}

fn create(task_id: String) -> Action {
    Action::CreateTask(CreateTask {
        task_id: TaskId::from(task_id),
        description: Text::from("refund order 4711, it arrived broken"),
        owner: AgentId::from("triage"),
        metadata: Object::default(),
    })
}

fn handed_on(index: usize) -> Action {
    Action::HandOff(Proposal {
        task_id: TaskId::from(id(index)),
        from: AgentId::from("triage"),
        to: AgentId::from("billing"),
        reason: Text::from("needs access to payments"),
        owner_epoch: None,
        transfer: TransferSpec::default(),
        context: None,
    })
}

fn cancelled(index: usize) -> Action {
    Action::EndTask(EndTask {
        task_id: TaskId::from(id(index)),
        claim: Claim::default(),
        end: End::Cancel,
        outcome: Text::from("the customer kept it"),
    })
}

/// In no order, as ids that are drawn at random.
fn id(index: usize) -> String {
    format!("task-{:016x}", scattered(index))
}

fn scattered(index: usize) -> u64 {
    (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn archived(engine: &Engine) -> u64 {
    engine.namespaces().get("default").map_or(0, |namespace| namespace.read().archived_count())
}

fn in_memory(engine: &Engine) -> usize {
    engine.namespaces().get("default").map_or(0, |namespace| namespace.read().task_count())
}

fn tell(engine: &Engine, what: &str) -> Result<(), Failure> {
    let held = in_memory(engine);
    let status = fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("unknown").trim();
    let archived = archived(engine);
    eprintln!("{what}: {held} tasks in memory, {archived} archived, {resident} resident");
    Ok(())
}
