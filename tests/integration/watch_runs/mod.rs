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

use std::collections::VecDeque;

use crate::harness::seed;
use run::{Death, Report, run};

/// Runs with orderly restarts, unless the environment says otherwise.
const SEEDS: u64 = 200;
/// Runs with `kill -9`, unless the environment says otherwise.
const KILL_SEEDS: u64 = 10;
/// Runs at once: while one waits for an interval to pass, another goes on.
const AT_ONCE: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_keep_their_promises_over_random_runs_with_restarts() {
    let seeds = std::env::var("BATON_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap());
    let name = "watches_keep_their_promises_over_random_runs_with_restarts";
    let report =
        runs(seeds, Death::InOrder, &format!("BATON_SEEDS=1 cargo test --test integration {name}")).await;
    if seeds >= SEEDS {
        assert!(
            report.within > 0 && report.stopped > 0 && report.pauses > 0,
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
    let mut waiting: VecDeque<_> = (first..first + seeds).collect();
    let mut running = VecDeque::new();
    let (mut total, mut failed) = (Report::default(), Vec::new());
    loop {
        while let Some(seed) = waiting.pop_front_if(|_| running.len() < AT_ONCE) {
            running.push_back((seed, tokio::spawn(run(seed, death))));
        }
        let Some((seed, run)) = running.pop_front() else { break };
        match run.await {
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
