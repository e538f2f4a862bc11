//! `baton verify`: checks a log's hash chain, of a running server or of a stopped one's folder.
//!
//! Knows nothing of hashes: the server or `baton-log` walks the chain.

mod folder;

use std::path::PathBuf;

use baton_client::VerifyProgress;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::{
    failure::Failure,
    output::Output,
    session::Session,
    style,
    table::{Column, Table},
};

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The data folder of a stopped server [default: ask the running one]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// A namespace whose log holds.
#[derive(Debug, Serialize)]
struct Holds {
    namespace: String,
    records: u64,
    revision: u64,
    hash: String,
}

/// Runs the command. Without `-n` all namespaces are checked.
///
/// # Errors
/// The first damage; the server cannot be reached, or the folder cannot be read; stdout cannot be written.
pub(crate) async fn run(args: VerifyArgs, session: &mut Session<'_>) -> Result<(), Failure> {
    let bar = progress_bar();
    let outcome = match args.data {
        Some(folder) => folder::verify(folder, session.globals.namespace.clone(), bar.clone()).await,
        None => ask_server(session, &bar).await,
    };
    bar.finish_and_clear();
    let verified = outcome?;
    session.output.many(&verified, table)?;
    if session.output.is_table() {
        tell(&verified, session);
    }
    Ok(())
}

/// Says what the table means: a namespace without records proves nothing, and may be misspelt.
fn tell(verified: &[Holds], session: &mut Session<'_>) {
    if verified.iter().all(|one| one.records == 0) {
        let what = session
            .globals
            .namespace
            .as_deref()
            .map_or("the log".to_owned(), |name| format!("namespace {name}"));
        session.output.note(format_args!("{what} is empty: there was nothing to verify"));
        return;
    }
    let holds = session.output.paint_note(style::GOOD, "✓ the log holds");
    session.output.note(holds);
}

async fn ask_server(session: &Session<'_>, bar: &ProgressBar) -> Result<Vec<Holds>, Failure> {
    let call = session.client()?.verify_log();
    let call = if session.globals.namespace.is_none() { call.all_namespaces() } else { call };
    let (mut verification, mut verified) = (call.send().await?, Vec::new());
    while let Some(progress) = verification.next().await {
        let progress = progress?;
        show(bar, &progress.namespace, progress.verified_revision, progress.head_revision);
        if progress.done {
            verified.push(Holds::from(progress));
        }
    }
    Ok(verified)
}

impl From<VerifyProgress> for Holds {
    fn from(progress: VerifyProgress) -> Self {
        let VerifyProgress { namespace, verified_revision: revision, records, hash, .. } = progress;
        Self { namespace, records, revision, hash }
    }
}

/// A bar on stderr; nothing is drawn where that is no terminal.
fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {pos}/{len}");
    ProgressBar::new(0).with_style(style.expect("the template is constant and well-formed"))
}

fn show(bar: &ProgressBar, namespace: &str, revision: u64, newest: u64) {
    bar.set_length(newest);
    bar.set_message(namespace.to_owned());
    bar.set_position(revision);
}

fn table(output: &mut Output, verified: &[Holds]) -> Result<(), Failure> {
    let mut table = Table::new(&[
        Column::Text("NAMESPACE"),
        Column::Number("RECORDS"),
        Column::Number("REVISION"),
        Column::Long("HASH"),
    ]);
    for one in verified {
        table.row([
            one.namespace.clone(),
            one.records.to_string(),
            one.revision.to_string(),
            one.hash.clone(),
        ]);
    }
    table.write(output)
}
