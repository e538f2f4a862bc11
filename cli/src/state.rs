//! `baton state`: keeps what agents know, and moves it between them.
//!
//! Knows the arguments and which call each makes. How a state looks stands in `state/show.rs`.

mod show;

use baton_client::{GetState, UpdateMode};
use clap::{Args, Subcommand, value_parser};

use crate::{
    args::{RequestId, Transfer, named},
    failure::Failure,
    input,
    session::{Session, set},
};

/// What can be done with states.
#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// Change an agent's state; creates it if it is new
    Update(UpdateArgs),
    /// Show an agent's state, now or as it was
    Get(GetArgs),
    /// Show how an agent's state came to be
    History(AgentId),
    /// Copy state from one agent to another, outside of any hand-off
    Transfer(TransferArgs),
}

/// Names an agent.
#[derive(Debug, Args)]
pub(crate) struct AgentId {
    /// The agent
    #[arg(value_name = "AGENT")]
    agent: String,
}

/// Arguments of `state update`.
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// The agent
    #[arg(value_name = "AGENT")]
    agent: String,
    /// A JSON object, @FILE, or - for stdin
    #[arg(value_name = "JSON", allow_hyphen_values = true)]
    state: String,
    /// merge: replace the keys that are given; replace: the whole state; patch: RFC 7396, null removes
    #[arg(long, value_parser = named::<UpdateMode>(UpdateMode::NAMES), default_value = "merge", value_name = "MODE")]
    mode: UpdateMode,
    /// The state's revision that you saw, 0 for none; refused if it has changed since
    #[arg(long, value_name = "REVISION")]
    expected_revision: Option<u64>,
    #[command(flatten)]
    request: RequestId,
}

/// Arguments of `state get`.
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// The agent
    #[arg(value_name = "AGENT")]
    agent: String,
    /// As it was right after this revision of the namespace [default: now]
    #[arg(long, value_name = "REVISION", value_parser = value_parser!(u64).range(1..))]
    at_revision: Option<u64>,
}

/// Arguments of `state transfer`.
#[derive(Debug, Args)]
pub(crate) struct TransferArgs {
    /// Whose state is copied
    #[arg(value_name = "FROM")]
    from: String,
    /// Who receives it
    #[arg(value_name = "TO")]
    to: String,
    #[command(flatten)]
    transfer: Transfer,
    #[command(flatten)]
    request: RequestId,
}

/// Runs one of the commands.
///
/// # Errors
/// The server's refusal; a malformed argument; stdout cannot be written.
pub(crate) async fn run(command: StateCommand, session: &mut Session<'_>) -> Result<(), Failure> {
    let client = session.client()?;
    match command {
        StateCommand::Update(args) => update(args, session).await,
        StateCommand::Get(GetArgs { agent, at_revision }) => {
            let state = set(client.get_state(agent), at_revision, GetState::at).send().await?;
            session.output.one(&state, show::details)
        }
        StateCommand::History(AgentId { agent }) => {
            session.list(client.state_history(agent).stream(), show::history).await
        }
        StateCommand::Transfer(args) => transfer(args, session).await,
    }
}

async fn update(args: UpdateArgs, session: &mut Session<'_>) -> Result<(), Failure> {
    let state = input::json_object("state", &args.state)?;
    let call = session.client()?.update_state(args.agent, state).mode(args.mode);
    let call = set(call, args.expected_revision, |call, revision| call.expected_revision(revision));
    let written = set(call, args.request.request_id, |call, id| call.request_id(id)).send().await?;
    session.output.one(&written, show::written)
}

async fn transfer(args: TransferArgs, session: &mut Session<'_>) -> Result<(), Failure> {
    let Transfer { keys, on_conflict } = args.transfer;
    let call = session.client()?.transfer_state(args.from, args.to).on_conflict(on_conflict);
    let call = if keys.is_empty() { call } else { call.keys(keys) };
    let moved = set(call, args.request.request_id, |call, id| call.request_id(id)).send().await?;
    session.output.one(&moved, show::transferred)
}
