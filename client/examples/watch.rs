//! Prints hand-offs as they happen. Run again, it goes on where it stopped, and misses nothing.
//!
//! `BATON_ADDR=http://127.0.0.1:7420 cargo run -p baton-client --example watch -- cursor.json`

#![allow(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use std::{env, error::Error, fs, io::ErrorKind, path::Path};

use baton_client::{Client, Cursor, Event};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).unwrap_or_else(|| "cursor.json".to_owned());
    let path = Path::new(&path);
    let client = Client::from_env()?;

    let watch = client.watch();
    let mut watch = match stored(path)? {
        Some(cursor) => watch.resume(&cursor).await?,
        None => watch.snapshot().await?,
    };
    for open in watch.open_handoffs() {
        println!("open: {} of {}, {} → {}", open.handoff_id, open.task_id, open.from_agent, open.to_agent);
    }
    store(path, watch.cursor())?;
    loop {
        // A program that is told to stop may stop here at any time: what it has not been given it will be given next time.
        let event = tokio::select! {
            event = watch.next() => event,
            stop = tokio::signal::ctrl_c() => return Ok(stop?),
        };
        let Some(event) = event else { return Ok(()) };
        show(&event?);
        store(path, watch.cursor())?;
    }
}

fn show(event: &Event) {
    let Some(handoff) = &event.handoff else { return };
    println!(
        "{:>6}  {:<18}  {}: {} → {}  {}",
        event.revision, event.kind, handoff.task_id, handoff.from_agent, handoff.to_agent, handoff.reason
    );
}

fn stored(path: &Path) -> Result<Option<Cursor>, Box<dyn Error>> {
    match fs::read(path) {
        Ok(json) => Ok(Some(serde_json::from_slice(&json)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes beside and renames, so that a crash leaves the old cursor or the new one, never half of one.
fn store(path: &Path, cursor: &Cursor) -> Result<(), Box<dyn Error>> {
    let beside = path.with_extension("new");
    fs::write(&beside, serde_json::to_vec(cursor)?)?;
    Ok(fs::rename(beside, path)?)
}
