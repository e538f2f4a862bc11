//! The binary `baton`: reads the command line, runs one command, ends with its exit code.
//!
//! Knows nothing of what the commands do.

mod allocator;
mod args;
mod bench;
mod clock;

mod demo;
mod duration;
mod exit;
mod failure;
mod handoff;
mod input;
mod local_server;
mod output;
mod refusal;
mod retain;
mod rule;
mod serve;
mod session;
mod state;
mod style;
mod summary;
mod table;
mod task;
mod verify;
mod watch;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, parser::ValueSource};

use crate::{
    args::{Cli, Command},
    exit::Exit,
    failure::Failure,
    local_server::unless_interrupted,
    output::Output,
    session::Session,
};

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let mut output = Output::new(cli.globals.output, cli.globals.color);
    let ended = match run(cli, addr_is_given(&matches), &mut output) {
        Ok(()) => Exit::Ok,
        Err(failure) => {
            if failure.exit() != Exit::Ok {
                failure.report(&mut output);
            }
            failure.exit()
        }
    };
    ExitCode::from(ended.code())
}

fn run(cli: Cli, addr_is_given: bool, output: &mut Output) -> Result<(), Failure> {
    if let Command::Completions { shell } = cli.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "baton", &mut script);
        return output.raw(&script);
    }
    let mut session = Session { globals: cli.globals, addr_is_given, output };
    if let Command::Serve(args) = cli.command {
        return serve::run(args, &mut session);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Task(command) => task::run(command, &mut session).await,
            Command::State(command) => state::run(command, &mut session).await,
            Command::Handoff(command) => handoff::run(command, &mut session).await,
            Command::Rule(command) => rule::run(command, &mut session).await,
            Command::Watch(args) => watch::run(args, &mut session).await,
            Command::Summary(args) => summary::run(args, &mut session).await,
            Command::Verify(args) => verify::run(args, &mut session).await,
            Command::Demo(args) => unless_interrupted(demo::run(args, &mut session)).await,
            Command::Bench(args) => unless_interrupted(bench::run(args, &mut session)).await,
            Command::Serve(_) | Command::Completions { .. } => Ok(()),
        }
    })
}

/// Whether the address is on the command line itself: a benchmark must not load a server that only the environment names.
fn addr_is_given(matches: &ArgMatches) -> bool {
    let deepest = matches.subcommand().map_or(matches, |(_, matches)| matches);
    deepest.value_source("addr") == Some(ValueSource::CommandLine)
}
