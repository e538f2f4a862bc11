//! `baton-bench`: measures Baton beside what it is compared with, and how its cost grows.
//!
//! Reads the command line and runs one command. Every server is started for the run, on loopback, and stopped after it.

mod baton;
mod child;
mod compare;
mod drive;
mod echo_server;
mod failure;
mod fields;
mod machine;
mod memory;
mod options;
mod output;
mod peers;
mod plot;
mod population;
mod raw_codec;
mod recording;
mod ring;
mod scale;
mod table;
mod tour;
mod watch;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};

use crate::failure::Failure;

/// Measures Baton. Build both first: `cargo build --release && cargo build --release -p baton-bench`.
#[derive(Debug, Parser)]
#[command(name = "baton-bench", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The same hand-offs on Baton, an echo, a bare file and other stores
    Compare(compare::CompareArgs),
    /// How cost grows with tasks, histories, states, namespaces and watchers
    Scale(scale::ScaleArgs),
    /// How fast events reach those who watch
    #[command(subcommand)]
    Watch(watch::WatchCommand),
    /// The server side of the echo; the other commands start it
    #[command(hide = true)]
    EchoServer(echo_server::EchoServerArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // There is nowhere else to say it.
            let _unread = writeln!(io::stderr(), "error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    raise_open_files()?;
    // A thread for each processor, but where something else is said: for the load, and for the servers of tonic that Baton is measured beside.
    let mut runtime = runtime::Builder::new_multi_thread();
    if let Command::Compare(_) = cli.command {
        runtime.worker_threads(compare::LOAD_THREADS);
    }
    let runtime = runtime.enable_all().build()?;
    runtime.block_on(async {
        let work = async {
            match cli.command {
                Command::Compare(args) => compare::run(args).await,
                Command::Scale(args) => scale::run(args).await,
                Command::Watch(command) => watch::run(command).await,
                Command::EchoServer(args) => echo_server::run(args).await,
            }
        };
        // Dropped in the middle, it kills its servers and removes their folders.
        tokio::select! {
            done = work => done,
            stopped = interrupted() => stopped,
        }
    })
}

/// Takes as many open files as the system lets this program have; its children inherit it.
fn raise_open_files() -> Result<(), Failure> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .map_err(|error| Failure::new(format!("the limit of open files cannot be raised: {error}")))
}

async fn interrupted() -> Result<(), Failure> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Err(Failure::new("interrupted: there are no figures"))
}
