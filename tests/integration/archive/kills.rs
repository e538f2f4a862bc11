//! `kill -9` while tasks end and leave for the archive: what was answered is there, each time.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use baton_proto::v1;
use tonic::Status;

use crate::harness::{Clients, Disk, ServerProcess, create, hand_off, in_time, seed};

/// Processes that are killed.
const KILLS: usize = 8;
/// Callers at once.
const WORKERS: usize = 8;

/// Creates tasks, hands them on and ends them until the server is gone; gives those of which the last answer is known.
async fn work(mut clients: Clients, prefix: String, count: Arc<AtomicU64>) -> Vec<v1::Task> {
    let mut ended = Vec::new();
    for index in 0.. {
        match one(&mut clients, &format!("{prefix}-{index}")).await {
            Ok(task) => {
                ended.push(task);
                count.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => break,
        }
    }
    ended
}

async fn one(clients: &mut Clients, task_id: &str) -> Result<v1::Task, Status> {
    clients.create(create("", task_id, "triage")).await?;
    clients.hand_off(hand_off("", task_id, "triage", "billing")).await?;
    let ended = clients.tasks.cancel_task(super::cancel(task_id)).await?;
    Ok(ended.into_inner().task.expect("a cancelled task is given"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_any_moment_loses_no_finished_task_and_brings_none_back_to_life() {
    let mut random = fastrand::Rng::with_seed(seed());
    let disk = Disk::folder();
    let mut answered: Vec<v1::Task> = Vec::new();
    for round in 0..KILLS {
        let server = ServerProcess::start(disk.path());
        let (mut workers, count) = (Vec::new(), Arc::new(AtomicU64::new(0)));
        for worker in 0..WORKERS {
            let clients = Clients::connect(server.address).await;
            workers.push(tokio::spawn(work(clients, format!("{round}-{worker}"), Arc::clone(&count))));
        }
        // Each finished task is three events, and 500 of those make a checkpoint.
        let enough = random.u64(100..400);
        let mut clients = Clients::connect(server.address).await;
        in_time(async {
            while count.load(Ordering::Relaxed) < enough {
                clients.head("").await;
            }
        })
        .await;
        server.kill();
        for worker in workers {
            answered.extend(worker.await.expect("a worker does not panic"));
        }
        let server = ServerProcess::start(disk.path());
        let mut clients = Clients::connect(server.address).await;
        for task in &answered {
            assert_eq!(clients.task("", &task.task_id).await.expect("it was answered"), *task);
        }
        let completed = clients.summary("").await.completed;
        assert!(
            completed >= answered.len() as u64,
            "{completed} of {} hand-offs are counted",
            answered.len()
        );
        clients.verify("").await.expect("the log verifies");
        server.kill();
    }
    let log = disk.log();
    let archive = disk.archive(baton_log::LogReader::id(&log));
    let rows = archive.tasks_after("default", None, baton_log::ReadLimit::UNLIMITED).expect("it can be read");
    assert!(rows.rows.len() > 100, "only {} tasks were archived", rows.rows.len());
}
