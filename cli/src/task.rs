//! `baton task`: creates tasks and moves them through their life.
//!
//! Knows the arguments and which call each makes. How a task looks stands in `task/show.rs`.

pub(crate) mod show;

use baton_client::{Task, TaskStatus};
use clap::{Args, Subcommand, value_parser};

use crate::{
    args::{Actor, RequestId, named},
    failure::Failure,
    input,
    session::{Session, set},
};

/// What can be done with tasks.
#[derive(Debug, Subcommand)]
pub(crate) enum TaskCommand {
    /// Create a task
    Create(CreateArgs),
    /// Show a task
    Get(TaskId),
    /// List tasks in order of their ids
    List(ListArgs),
    /// Begin a task that is pending or handed off
    Start(StartArgs),
    /// Say how far a task is
    Progress(ProgressArgs),
    /// Change a task's description or metadata
    Update(UpdateArgs),
    /// End a task as done
    Complete(EndArgs),
    /// End a task as given up
    Fail(EndArgs),
    /// Call a task off
    Cancel(EndArgs),
    /// Show what happened to a task, refused hand-offs included
    History(TaskId),
}

/// Names a task.
#[derive(Debug, Args)]
pub(crate) struct TaskId {
    /// The task
    #[arg(value_name = "ID")]
    id: String,
}

/// Arguments of `task create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The task's id, unique in the namespace
    #[arg(value_name = "ID")]
    id: String,
    /// What is to be done
    #[arg(long, value_name = "TEXT")]
    description: String,
    /// The first owner
    #[arg(long, value_name = "AGENT")]
    agent: String,
    /// Free-form data: a JSON object, @FILE, or - for stdin
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    #[command(flatten)]
    request: RequestId,
}

/// Arguments of `task list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only tasks of this owner
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// Only tasks in this status
    #[arg(long, value_name = "STATUS", value_parser = named::<TaskStatus>(TaskStatus::NAMES))]
    status: Option<TaskStatus>,
}

/// What changes to a task that goes on have in common.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// The task
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    actor: Actor,
    /// The task's revision that you saw; refused if it has changed since
    #[arg(long, value_name = "REVISION")]
    expected_revision: Option<u64>,
    #[command(flatten)]
    request: RequestId,
}

/// Arguments of `task start`.
#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    #[command(flatten)]
    change: ChangeArgs,
}

/// Arguments of `task progress`.
#[derive(Debug, Args)]
pub(crate) struct ProgressArgs {
    #[command(flatten)]
    change: ChangeArgs,
    /// From 0 to 100
    #[arg(value_name = "PERCENT", value_parser = value_parser!(u32).range(0..=100))]
    percent: u32,
    /// What was last done, in a line
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

/// Arguments of `task update`.
#[derive(Debug, Args)]
#[group(id = "what", required = true, multiple = true, args = ["description", "metadata"])]
pub(crate) struct UpdateArgs {
    #[command(flatten)]
    change: ChangeArgs,
    /// The new description
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The new metadata, which replaces the old: a JSON object, @FILE, or - for stdin
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
}

/// Arguments of `task complete`, `fail` and `cancel`.
#[derive(Debug, Args)]
pub(crate) struct EndArgs {
    /// The task
    #[arg(value_name = "ID")]
    id: String,
    /// What came of it, or why it ended
    #[arg(long, value_name = "TEXT", default_value = "")]
    outcome: String,
    #[command(flatten)]
    actor: Actor,
    #[command(flatten)]
    request: RequestId,
}

/// Ends a task: the three ways differ in nothing but the call.
macro_rules! end {
    ($args:expr, $client:ident.$call:ident) => {{
        let EndArgs { id, outcome, actor, request } = $args;
        let call = $client.$call(id).outcome(outcome);
        let call = set(call, actor.agent, |call, agent| call.agent(agent));
        let call = set(call, actor.owner_epoch, |call, epoch| call.owner_epoch(epoch));
        set(call, request.request_id, |call, id| call.request_id(id)).send().await?
    }};
}
/// Runs one of the commands.
///
/// # Errors
/// The server's refusal; a malformed argument; stdout cannot be written.
pub(crate) async fn run(command: TaskCommand, session: &mut Session<'_>) -> Result<(), Failure> {
    let client = session.client()?;
    let task = match command {
        TaskCommand::Create(args) => create(args, session).await?,
        TaskCommand::Get(TaskId { id }) => client.get_task(id).send().await?,
        TaskCommand::Start(StartArgs { change }) => updating(change, session)?.start().send().await?,
        TaskCommand::Progress(ProgressArgs { change, percent, note }) => {
            updating(change, session)?.progress(percent, note).send().await?
        }
        TaskCommand::Update(args) => update(args, session).await?,
        TaskCommand::Complete(args) => end!(args, client.complete_task),
        TaskCommand::Fail(args) => end!(args, client.fail_task),
        TaskCommand::Cancel(args) => end!(args, client.cancel_task),
        TaskCommand::List(args) => return list(args, session).await,
        TaskCommand::History(TaskId { id }) => {
            let entries = client.task_history(id).stream();
            return session.list(entries, show::history).await;
        }
    };
    session.output.one(&task, show::details)
}

async fn create(args: CreateArgs, session: &Session<'_>) -> Result<Task, Failure> {
    let call = session.client()?.create_task(args.id).agent(args.agent).description(args.description);
    let metadata = args.metadata.map(|json| input::json_object("metadata", &json)).transpose()?;
    let call = set(call, metadata, |call, metadata| call.metadata(metadata));
    Ok(set(call, args.request.request_id, |call, id| call.request_id(id)).send().await?)
}

fn updating(args: ChangeArgs, session: &Session<'_>) -> Result<baton_client::UpdateTask, Failure> {
    let call = session.client()?.update_task(args.id);
    let call = set(call, args.actor.agent, |call, agent| call.agent(agent));
    let call = set(call, args.actor.owner_epoch, |call, epoch| call.owner_epoch(epoch));
    let call = set(call, args.expected_revision, |call, revision| call.expected_revision(revision));
    Ok(set(call, args.request.request_id, |call, id| call.request_id(id)))
}

async fn update(args: UpdateArgs, session: &Session<'_>) -> Result<Task, Failure> {
    let metadata = args.metadata.map(|json| input::json_object("metadata", &json)).transpose()?;
    let call = set(updating(args.change, session)?, args.description, |call, text| call.description(text));
    Ok(set(call, metadata, |call, metadata| call.metadata(metadata)).send().await?)
}

async fn list(args: ListArgs, session: &mut Session<'_>) -> Result<(), Failure> {
    let call = set(session.client()?.list_tasks(), args.agent, |call, agent| call.agent(agent));
    let call = set(call, args.status, |call, status| call.status(status));
    session.list(call.stream(), show::table).await
}
