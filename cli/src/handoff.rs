//! `baton handoff`: hands tasks from one agent to another, at once or in two steps.
//!
//! Knows the arguments and which call each makes. How a hand-off looks stands in `handoff/show.rs`.

mod context;
pub(crate) mod show;

use baton_client::HandoffStatus;
use clap::{Args, Subcommand, value_parser};

use self::context::ContextArgs;
use crate::{
    args::{RequestId, Transfer, named},
    exit::Exit,
    failure::{Failure, Violation},
    session::{Session, set},
};

/// What can be done with hand-offs.
#[derive(Debug, Subcommand)]
pub(crate) enum HandoffCommand {
    /// Hand a task over: judged, recorded and executed in one step
    Send(SendArgs),
    /// Ask what the rules would say, without handing anything over; exits with 6 if they refuse
    Validate(OfferArgs),
    /// Judge and record a hand-off that is executed later
    Initiate(SendArgs),
    /// Execute an initiated hand-off
    Execute(ExecuteArgs),
    /// Take an initiated hand-off back
    Withdraw(WithdrawArgs),
    /// Show a hand-off
    Get(HandoffId),
    /// List hand-offs in the order in which they were created
    List(ListArgs),
}

/// Names a hand-off.
#[derive(Debug, Args)]
pub(crate) struct HandoffId {
    /// The hand-off
    #[arg(value_name = "HANDOFF")]
    id: String,
}

/// What is to be handed over: task, agents, reason, state and context.
#[derive(Debug, Args)]
pub(crate) struct OfferArgs {
    /// The task
    #[arg(value_name = "TASK")]
    task: String,
    /// The sender, which must be the owner
    #[arg(long, value_name = "AGENT")]
    from: String,
    /// The receiver
    #[arg(long, value_name = "AGENT")]
    to: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The owner epoch that the sender holds; refused if it is stale
    #[arg(long, value_name = "EPOCH", value_parser = value_parser!(u64).range(1..))]
    owner_epoch: Option<u64>,
    /// Moves the task alone, no state
    #[arg(long, conflicts_with = "keys")]
    no_state: bool,
    #[command(flatten)]
    transfer: Transfer,
    #[command(flatten)]
    context: ContextArgs,
}

/// Arguments of `handoff send` and `handoff initiate`.
#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    // Before the offer, which ends with a section of its own in the help.
    #[command(flatten)]
    request: RequestId,
    #[command(flatten)]
    offer: OfferArgs,
}

/// Arguments of `handoff execute`.
#[derive(Debug, Args)]
pub(crate) struct ExecuteArgs {
    #[command(flatten)]
    handoff: HandoffId,
    /// The owner epoch that you hold; refused if it is stale
    #[arg(long, value_name = "EPOCH", value_parser = value_parser!(u64).range(1..))]
    owner_epoch: Option<u64>,
    #[command(flatten)]
    request: RequestId,
}

/// Arguments of `handoff withdraw`.
#[derive(Debug, Args)]
pub(crate) struct WithdrawArgs {
    #[command(flatten)]
    handoff: HandoffId,
    /// The owner epoch that you hold; refused if it is stale
    #[arg(long, value_name = "EPOCH", value_parser = value_parser!(u64).range(1..))]
    owner_epoch: Option<u64>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    #[command(flatten)]
    request: RequestId,
}

/// Arguments of `handoff list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only of this task
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// Only those that this agent sent or received
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// Only those in this status
    #[arg(long, value_name = "STATUS", value_parser = named::<HandoffStatus>(HandoffStatus::NAMES))]
    status: Option<HandoffStatus>,
}

/// Gives a call the terms of an offer: those of three calls that differ in what becomes of it.
macro_rules! terms {
    ($call:expr, $offer:expr) => {{
        let transfer = $offer.transfer();
        let call = $call.reason($offer.reason).transfer(transfer);
        let call = set(call, $offer.owner_epoch, |call, epoch| call.owner_epoch(epoch));
        set(call, $offer.context.read()?, |call, context| call.context(context))
    }};
}

/// Runs one of the commands.
///
/// # Errors
/// The server's refusal; a verdict against a hand-off that was to be validated; a malformed argument; stdout cannot be written.
pub(crate) async fn run(command: HandoffCommand, session: &mut Session<'_>) -> Result<(), Failure> {
    let client = session.client()?;
    let handoff = match command {
        HandoffCommand::Send(SendArgs { offer, request }) => {
            let call = client.hand_off(&offer.task, &offer.from, &offer.to);
            let call = terms!(call, offer);
            set(call, request.request_id, |call, id| call.request_id(id)).send().await?
        }
        HandoffCommand::Initiate(SendArgs { offer, request }) => {
            let call = client.initiate_handoff(&offer.task, &offer.from, &offer.to);
            let call = terms!(call, offer);
            set(call, request.request_id, |call, id| call.request_id(id)).send().await?
        }
        HandoffCommand::Execute(ExecuteArgs { handoff, owner_epoch, request }) => {
            let call =
                set(client.execute_handoff(handoff.id), owner_epoch, |call, epoch| call.owner_epoch(epoch));
            set(call, request.request_id, |call, id| call.request_id(id)).send().await?
        }
        HandoffCommand::Withdraw(WithdrawArgs { handoff, owner_epoch, reason, request }) => {
            let call = client.withdraw_handoff(handoff.id).reason(reason);
            let call = set(call, owner_epoch, |call, epoch| call.owner_epoch(epoch));
            set(call, request.request_id, |call, id| call.request_id(id)).send().await?
        }
        HandoffCommand::Get(HandoffId { id }) => client.get_handoff(id).send().await?,
        HandoffCommand::Validate(offer) => return validate(offer, session).await,
        HandoffCommand::List(args) => return list(args, session).await,
    };
    session.output.one(&handoff, show::details)
}

async fn validate(offer: OfferArgs, session: &mut Session<'_>) -> Result<(), Failure> {
    let call = session.client()?.validate_handoff(&offer.task, &offer.from, &offer.to);
    let verdict = terms!(call, offer).send().await?;
    session.output.one(&verdict, show::verdict)?;
    if verdict.valid {
        return Ok(());
    }
    let count = verdict.errors.len();
    let plural = if count == 1 { "" } else { "s" };
    let message = format!("the rules would refuse this hand-off: {count} violation{plural}");
    let failure = Failure::new(Exit::Rejected, "HANDOFF_REJECTED", message);
    // People have the violations before their eyes by now.
    let told = if session.output.is_table() { Vec::new() } else { verdict.errors };
    Err(failure.violations(told.into_iter().map(Violation::from)))
}

async fn list(args: ListArgs, session: &mut Session<'_>) -> Result<(), Failure> {
    let call = set(session.client()?.list_handoffs(), args.task, |call, task| call.task(task));
    let call = set(call, args.agent, |call, agent| call.agent(agent));
    let call = set(call, args.status, |call, status| call.status(status));
    session.list(call.stream(), show::table).await
}

impl OfferArgs {
    fn transfer(&self) -> baton_client::Transfer {
        let transfer = match &self.transfer.keys {
            _ if self.no_state => baton_client::Transfer::none(),
            keys if keys.is_empty() => baton_client::Transfer::all(),
            keys => baton_client::Transfer::keys(keys),
        };
        transfer.on_conflict(self.transfer.on_conflict)
    }
}
