//! `baton demo`: a support desk of agents hands tickets to one another, in one process, through a real server.
//!
//! Starts server and agents, draws what happens, and checks at the end that the server's figures agree with the tickets' histories.

mod agent;
mod check;
mod draw;
mod routing;
mod ticket;

use std::{io::IsTerminal as _, path::PathBuf, sync::Arc, time::Duration};

use baton_client::{Client, Context, SummaryReport, TaskHistoryEntry, Transfer, UpdateMode, Watch};
use clap::Args;
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;

use self::{
    agent::{Agent, Mishaps, SHIFT_KEY},
    check::Counted,
    routing::{DESK, INBOX, TRIAGE},
    ticket::Ticket,
};
use crate::{
    duration,
    exit::Exit,
    failure::{Failure, Violation},
    local_server::LocalServer,
    output::{Format, Output},
    session::Session,
    style, summary,
};

/// How long agents think about a ticket where a person watches.
const PACE_ON_TERMINAL: Duration = Duration::from_millis(60);
/// Why tickets leave the inbox.
const INBOX_REASON: &str = "a new ticket";

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Tickets, one JSON object per line with id, topic and description [default: 12 that come with it]
    #[arg(long, value_name = "FILE.jsonl")]
    tasks: Option<PathBuf>,
    /// How long an agent thinks about a ticket [default: 60ms on a terminal, otherwise not at all]
    #[arg(long, value_parser = duration::parse, value_name = "DURATION")]
    pace: Option<Duration>,
}

/// What became of a ticket.
#[derive(Debug, Serialize)]
struct Outcome {
    ticket: String,
    path: Vec<String>,
    history: Vec<TaskHistoryEntry>,
}

/// Runs the command.
///
/// # Errors
/// Bad tickets; a server or an agent that fails; figures that disagree with the histories; stdout cannot be written.
pub(crate) async fn run(args: DemoArgs, session: &mut Session<'_>) -> Result<(), Failure> {
    let tickets = ticket::read(args.tasks.as_deref())?;
    let pace =
        args.pace.unwrap_or(if std::io::stdout().is_terminal() { PACE_ON_TERMINAL } else { Duration::ZERO });
    let server = LocalServer::start(&std::env::temp_dir()).await?;
    let namespace = session.globals.namespace.as_deref().unwrap_or_default();
    let client = Client::builder().endpoint(server.address()).namespace(namespace).connect().await?;
    let shown = show_desk(&client, &tickets, pace, session.output).await;
    drop(client);
    server.stop().await?;
    shown
}

async fn show_desk(
    client: &Client,
    tickets: &[Ticket],
    pace: Duration,
    output: &mut Output,
) -> Result<(), Failure> {
    let drawn = client.watch().all_events().types(draw::DRAWN).send().await?;
    let desk = open_desk(client, tickets, pace).await?;
    let outcome = tokio::select! {
        // Agents first: if one fails, its failure says more than a drawing that stands still.
        biased;
        failure = first_failure(desk) => Err(failure),
        drawn = draw::until_closed(drawn, tickets, output) => drawn,
    };
    outcome?;
    let report = client.summary().by_pair().send().await?;
    let outcomes = outcomes(client, tickets).await?;
    write(output, &report, &outcomes)?;
    judge(&report, &outcomes)?;
    let agrees = output.paint_note(style::GOOD, "✓ the summary agrees with the histories");
    output.note(agrees);
    Ok(())
}

/// Starts the agents, each on its own, and the inbox that hands them the tickets.
async fn open_desk(
    client: &Client,
    tickets: &[Ticket],
    pace: Duration,
) -> Result<JoinSet<Result<(), Failure>>, Failure> {
    let (first, second) = (&tickets[0], tickets.get(1).unwrap_or(&tickets[0]));
    let mishaps = Arc::new(Mishaps { refused: first.id.clone(), failed: second.id.clone() });
    let mut desk = JoinSet::new();
    for name in DESK {
        let agent = Agent { name, client: client.clone(), pace, mishaps: Arc::clone(&mishaps) };
        let shift = json!({ SHIFT_KEY: format!("what {name} found on the desk this morning") });
        client.update_state(name, shift).mode(UpdateMode::Replace).send().await?;
        let watch: Watch = agent.watch().await?;
        desk.spawn(agent.work(watch));
    }
    desk.spawn(take_in(client.clone(), tickets.to_vec(), pace));
    Ok(desk)
}

/// Makes a task of each ticket and hands it to triage, with what the customer wrote as context.
async fn take_in(client: Client, tickets: Vec<Ticket>, pace: Duration) -> Result<(), Failure> {
    for Ticket { id, description, topic, mut details } in tickets {
        details.insert("topic".to_owned(), topic.into());
        let call = client.create_task(&id).agent(INBOX).description(&description).metadata(details);
        let ticket = call.owned().await?;
        let context = Context::new().summary(description);
        let call = ticket.hand_off(TRIAGE).reason(INBOX_REASON).context(context).transfer(Transfer::none());
        call.send().await.map_err(baton_client::Error::from)?;
        tokio::time::sleep(pace).await;
    }
    Ok(())
}

/// Waits for the first that fails. Whoever just ends, as the inbox does, is not waited for.
async fn first_failure(mut desk: JoinSet<Result<(), Failure>>) -> Failure {
    while let Some(ended) = desk.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => return failure,
            Err(error) => {
                return Failure::new(Exit::Failure, "INTERNAL", format!("an agent stopped: {error}"));
            }
        }
    }
    std::future::pending().await
}

async fn outcomes(client: &Client, tickets: &[Ticket]) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::with_capacity(tickets.len());
    for ticket in tickets {
        let history = client.task_history(&ticket.id).stream().into_vec().await?;
        outcomes.push(Outcome { ticket: ticket.id.clone(), path: draw::owners(&history), history });
    }
    Ok(outcomes)
}

fn write(output: &mut Output, report: &SummaryReport, outcomes: &[Outcome]) -> Result<(), Failure> {
    if output.format() != Format::Table {
        return output.json(&json!({ "summary": report, "tickets": outcomes }));
    }
    output.line("")?;
    summary::show::total(output, &report.total)?;
    output.line("")?;
    let title = output.paint(style::HEAD, "paths");
    output.line(title)?;
    let width = outcomes.iter().map(|outcome| outcome.ticket.chars().count()).max().unwrap_or_default();
    for outcome in outcomes {
        let path = draw::path(output, &outcome.ticket, &outcome.history, width);
        output.line(path)?;
    }
    Ok(())
}

/// Fails if the server's figures are not those of the histories.
fn judge(report: &SummaryReport, outcomes: &[Outcome]) -> Result<(), Failure> {
    let counted = Counted::of(outcomes.iter().flat_map(|outcome| &outcome.history));
    let disagreements = counted.disagreements(report);
    if disagreements.is_empty() {
        return Ok(());
    }
    let violation = |message| Violation { subject: "summary".to_owned(), message };
    Err(Failure::new(Exit::Failure, "SUMMARY_DISAGREES", "the summary disagrees with the histories")
        .violations(disagreements.into_iter().map(violation)))
}
