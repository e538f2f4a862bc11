//! `baton rule`: shows the rules that hand-offs are judged by, and switches them.
//!
//! Knows nothing of what the rules check.

use anstyle::Style;
use baton_client::Rule;
use clap::{Args, Subcommand};

use crate::{
    args::RequestId,
    failure::Failure,
    output::Output,
    session::{Session, set},
    style,
    table::{Column, Details, Table},
};

/// What can be done with rules.
#[derive(Debug, Subcommand)]
pub(crate) enum RuleCommand {
    /// List all rules with their limits, in force or not
    List,
    /// Put a rule in force
    Enable(RuleArgs),
    /// Take a rule out of force
    Disable(RuleArgs),
}

/// Names a rule.
#[derive(Debug, Args)]
pub(crate) struct RuleArgs {
    /// The rule, such as ping_pong
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    request: RequestId,
}

/// Runs one of the commands.
///
/// # Errors
/// The server's refusal; stdout cannot be written.
pub(crate) async fn run(command: RuleCommand, session: &mut Session<'_>) -> Result<(), Failure> {
    let client = session.client()?;
    let rule = match command {
        RuleCommand::List => {
            let rules = client.list_rules().send().await?;
            return session.output.many(&rules, table);
        }
        RuleCommand::Enable(RuleArgs { name, request }) => {
            set(client.enable_rule(name), request.request_id, |call, id| call.request_id(id)).send().await?
        }
        RuleCommand::Disable(RuleArgs { name, request }) => {
            set(client.disable_rule(name), request.request_id, |call, id| call.request_id(id)).send().await?
        }
    };
    session.output.one(&rule, details)
}

fn table(output: &mut Output, rules: &[Rule]) -> Result<(), Failure> {
    let mut table = Table::new(&[
        Column::Text("RULE"),
        Column::Text("IN FORCE"),
        Column::Number("LIMIT"),
        Column::Long("CHECKS"),
    ]);
    for rule in rules {
        let style = if rule.enabled { Style::new() } else { style::DIM };
        let limit = rule.limit.map(|limit| limit.to_string()).unwrap_or_default();
        table.styled(style, [rule.name.clone(), in_force(rule).to_owned(), limit, rule.description.clone()]);
    }
    table.write(output)
}

fn details(output: &mut Output, rule: &Rule) -> Result<(), Failure> {
    Details::new()
        .line("rule", &rule.name)
        .line("in force", in_force(rule))
        .line("limit", rule.limit.map(|limit| limit.to_string()).unwrap_or_default())
        .line("checks", &rule.description)
        .write(output)
}

fn in_force(rule: &Rule) -> &'static str {
    match (rule.enabled, rule.switchable) {
        (true, true) => "yes",
        (true, false) => "always",
        (false, _) => "no",
    }
}
