//! `kill -9` at random times under load: what was answered is there, once, and what was not can be asked for again.
//!
//! `BATON_CRASH_ROUNDS` sets how many kills, `BATON_SEED` repeats a run's choices.

mod ledger;
mod load;
mod proof;

use std::time::{Duration, Instant};

use crate::harness::{Clients, Disk, ServerProcess, seed};
use ledger::Ledger;
use load::Worker;

/// Kills, unless the environment says otherwise.
const ROUNDS: u64 = 50;
/// Callers at once, spread over the connections and the namespaces.
const WORKERS: usize = 24;
/// Connections.
const CONNECTIONS: usize = 4;
/// Tenants.
pub(crate) const NAMESPACES: [&str; 3] = ["", "north", "south"];
/// How often a server is killed while it still starts, in rounds.
const DEATH_AT_START_EVERY: u64 = 3;
/// How often all of the log is proved, in rounds; what is new is proved in each.
const WHOLE_PROOF_EVERY: u64 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_under_load_loses_nothing_that_was_answered_and_does_nothing_twice() {
    let rounds = std::env::var("BATON_CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let mut random = fastrand::Rng::with_seed(seed());
    let disk = Disk::folder();
    let mut workers: Vec<Worker> = (0..WORKERS)
        .map(|index| Worker::new(index, NAMESPACES[index % NAMESPACES.len()], random.fork()))
        .collect();
    let mut ledger = Ledger::default();
    for round in 1..=rounds {
        if round % DEATH_AT_START_EVERY == 0 {
            let life = Duration::from_micros(random.u64(0..60_000));
            ServerProcess::start_and_kill_after(disk.path(), life);
        }
        let server = ServerProcess::start(disk.path());
        workers = settle(workers, &server, &mut ledger).await;
        let mut clients = Clients::connect(server.address).await;
        proof::of_what_is_new(&mut clients, &mut ledger).await;
        if round % WHOLE_PROOF_EVERY == 0 {
            proof::of_everything(&mut clients, &ledger).await;
        }
        let moment = Instant::now() + Duration::from_micros(random.u64(1_000..400_000));
        workers = load_until_killed(workers, server, moment, &mut ledger).await;
    }
    let server = ServerProcess::start(disk.path());
    settle(workers, &server, &mut ledger).await;
    let mut clients = Clients::connect(server.address).await;
    proof::of_what_is_new(&mut clients, &mut ledger).await;
    proof::of_everything(&mut clients, &ledger).await;
    server.kill();
    proof::of_the_folder(disk.path(), &ledger);
    eprintln!(
        "{rounds} kills, {} calls answered, {} of them in a second life",
        ledger.answers, ledger.retried
    );
    assert!(ledger.retried > 0, "no kill met a call that was under way: this proves nothing");
}

/// Asks again for everything whose outcome is unknown, with the same request ids.
async fn settle(workers: Vec<Worker>, server: &ServerProcess, ledger: &mut Ledger) -> Vec<Worker> {
    let mut settled = Vec::new();
    for mut worker in workers {
        let mut clients = Clients::connect(server.address).await;
        if let Some(answer) = worker.ask_again(&mut clients).await {
            ledger.retried += 1;
            ledger.enter(answer);
        }
        settled.push(worker);
    }
    settled
}

/// Lets all workers work, kills the server at `moment`, and notes what had been answered.
async fn load_until_killed(
    workers: Vec<Worker>,
    server: ServerProcess,
    moment: Instant,
    ledger: &mut Ledger,
) -> Vec<Worker> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Clients::connect(server.address).await);
    }
    let working: Vec<_> = workers
        .into_iter()
        .enumerate()
        .map(|(index, worker)| tokio::spawn(worker.work(connections[index % CONNECTIONS].clone())))
        .collect();
    // The moment of the kill is what this test is about; nothing waits for it to have happened.
    tokio::time::sleep_until(moment.into()).await;
    server.kill();
    let mut back = Vec::new();
    for worker in working {
        let (worker, answers) = crate::harness::in_time(worker).await.expect("no worker panics");
        answers.into_iter().for_each(|answer| ledger.enter(answer));
        back.push(worker);
    }
    back
}
