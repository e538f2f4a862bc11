//! Prints hand-offs as they happen. Run again, it goes on where it stopped, and misses nothing.
//!
//! `BATON_ADDR=http://127.0.0.1:7420 cargo run -p baton-client --example watch -- cursor.json`

#![allow(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use std::{env, error::Error as StdError, fs, io::ErrorKind, path::Path};

use baton_client::{Client, Cursor, Error, Event, Watch};

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let path = env::args().nth(1).unwrap_or_else(|| "cursor.json".to_owned());
    let path = Path::new(&path);
    let client = Client::from_env()?;

    let mut watch = match stored(path)? {
        Some(cursor) => match client.watch().resume(&cursor).await {
            Ok(watch) => watch,
            Err(error) => after_gap(&client, cursor.revision, error).await?,
        },
        None => from_what_is_open(&client).await?,
    };
    store(path, watch.cursor())?;
    loop {
        // A program that is told to stop may stop here at any time: what it has not been given it will be given next time.
        let event = tokio::select! {
            event = watch.next() => event,
            stop = tokio::signal::ctrl_c() => return Ok(stop?),
        };
        match event {
            Some(Ok(event)) => show(&event),
            Some(Err(error)) => watch = after_gap(&client, watch.revision(), error).await?,
            None => return Ok(()),
        }
        store(path, watch.cursor())?;
    }
}

/// Says which events nobody can give any more, and goes on with what is open now.
async fn after_gap(client: &Client, seen: u64, error: Error) -> Result<Watch, Error> {
    match &error {
        Error::Compacted { oldest, .. } => {
            println!("missed: revisions {} to {}", seen + 1, oldest - 1);
        }
        Error::LogMismatch { .. } => println!("missed: whatever this other log tells"),
        _ => return Err(error),
    }
    from_what_is_open(client).await
}

async fn from_what_is_open(client: &Client) -> Result<Watch, Error> {
    let watch = client.watch().snapshot().await?;
    for open in watch.open_handoffs() {
        println!("open: {} of {}, {} → {}", open.handoff_id, open.task_id, open.from_agent, open.to_agent);
    }
    Ok(watch)
}

fn show(event: &Event) {
    let Some(handoff) = &event.handoff else { return };
    println!(
        "{:>6}  {:<18}  {}: {} → {}  {}",
        event.revision, event.kind, handoff.task_id, handoff.from_agent, handoff.to_agent, handoff.reason
    );
}

fn stored(path: &Path) -> Result<Option<Cursor>, Box<dyn StdError>> {
    match fs::read(path) {
        Ok(json) => Ok(Some(serde_json::from_slice(&json)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes beside and renames, so that a crash leaves the old cursor or the new one, never half of one.
fn store(path: &Path, cursor: &Cursor) -> Result<(), Box<dyn StdError>> {
    let beside = path.with_extension("new");
    fs::write(&beside, serde_json::to_vec(cursor)?)?;
    Ok(fs::rename(beside, path)?)
}
