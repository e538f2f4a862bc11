//! Random runs of writers, watchers and restarts, held against validators of what a watch promises.
//!
//! `BATON_SEEDS` sets how many runs of orderly restarts, `BATON_KILL_SEEDS` how many with `kill -9`, `BATON_SEED` the first seed.

mod asks;
mod broken;
mod chronicle;
mod fact;
mod habits;
mod observed;
mod run;
mod truth;
mod validators;
mod wanted;
mod watcher;
mod writer;

use tokio::task::JoinSet;

use crate::harness::seed;
use run::{Death, Report, run};

/// Runs with orderly restarts, unless the environment says otherwise.
const SEEDS: u64 = 200;
/// Runs with `kill -9`, unless the environment says otherwise.
const KILL_SEEDS: u64 = 10;
/// Runs at once: while one waits for an interval to pass, another goes on.
const AT_ONCE: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_keep_their_promises_over_random_runs_with_restarts() {
    let seeds = std::env::var("BATON_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap());
    let name = "watches_keep_their_promises_over_random_runs_with_restarts";
    let report =
        runs(seeds, Death::InOrder, &format!("BATON_SEEDS=1 cargo test --test integration {name}")).await;
    if seeds >= SEEDS {
        assert!(
            report.within > 0 && report.stopped > 0 && report.gaps > 0 && report.pauses > 0,
            "this proves little: {report:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_keep_their_promises_over_random_runs_with_kill_9() {
    let seeds = std::env::var("BATON_KILL_SEEDS").map_or(KILL_SEEDS, |seeds| seeds.parse().unwrap());
    let name = "watches_keep_their_promises_over_random_runs_with_kill_9";
    let report =
        runs(seeds, Death::Killed, &format!("BATON_KILL_SEEDS=1 cargo test --test integration {name}")).await;
    if seeds >= KILL_SEEDS {
        assert!(
            report.within > 0 && report.killed > 0 && report.pauses > 0,
            "this proves little: {report:?}"
        );
    }
}

/// Runs so many seeds, a few at once. Says of each that fails how to run it `alone`.
async fn runs(seeds: u64, death: Death, alone: &str) -> Report {
    let first = seed();
    let mut waiting = first..first + seeds;
    let mut running = JoinSet::new();
    let (mut total, mut failed) = (Report::default(), Vec::new());
    loop {
        // Each in a task of its own, so that one that panics is told by its seed.
        let next = waiting.by_ref().take(AT_ONCE - running.len());
        next.for_each(|seed| _ = running.spawn(async move { (seed, tokio::spawn(run(seed, death)).await) }));
        let Some(done) = running.join_next().await else { break };
        let (seed, outcome) = done.expect("the outcome of a run is waited for");
        match outcome {
            Ok(report) if report.violations.is_empty() => total = total.and(report),
            Ok(report) => {
                failed.push(seed);
                report.violations.iter().take(20).for_each(|violation| eprintln!("seed {seed}: {violation}"));
                eprintln!("seed {seed}: {} violations", report.violations.len());
            }
            Err(panic) => {
                failed.push(seed);
                eprintln!("seed {seed}: {panic}");
            }
        }
    }
    eprintln!("{seeds} runs, {death:?}: {total:?}");
    let seed = failed.first().copied().unwrap_or_default();
    assert!(failed.is_empty(), "seeds {failed:?} failed; alone: BATON_SEED={seed} {alone} -- --nocapture");
    total
}
