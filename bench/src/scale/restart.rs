//! How long a server takes from its start as a process until it serves, on a log of millions of events: after SIGTERM and after SIGKILL.

use std::{path::Path, time::Instant};

use serde::Serialize;

use super::Setting;
use crate::{
    baton::{Baton, BatonFolder},
    drive::median,
    failure::Failure,
    output::progress,
    peers::NAMESPACE,
    plot::{Axis, Bar, Scale, bars, save},
    population::Population,
    table::{Column, mebibytes, table, thousands, time},
};

/// Times until the server serves again.
#[derive(Debug, Serialize)]
pub(super) struct Restart {
    live_tasks: u64,
    events: u64,
    tail: u64,
    log_bytes: u64,
    stopped: Starts,
    killed: Starts,
}

/// The starts after one kind of end.
#[derive(Debug, Default, Serialize)]
struct Starts {
    serving_after_seconds: f64,
    rounds: Vec<f64>,
    end_took_seconds: Vec<f64>,
    resident_bytes: u64,
    // What the server itself said at its last start.
    told: Vec<String>,
}

/// The server's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Terminate,
    Kill,
}

/// A server on its log, and what was done with its tasks.
struct Stage {
    server: Baton,
    population: Population,
    tasks: u64,
    tail: u64,
    // How often the tasks of the tail were handed on.
    handed: u64,
}

/// Measures it.
///
/// # Errors
/// A server cannot be started; a call fails.
pub(super) async fn measure(setting: &Setting<'_>) -> Result<Restart, Failure> {
    let (tasks, options) = (setting.sizes.live, setting.options);
    let handoffs = setting.sizes.events.saturating_sub(tasks) / tasks;
    progress(&format!("restart: {tasks} tasks, each handed on {handoffs} times"));
    let server = setting.program.start("").await?;
    let channels = server.connect(options.connections).await?;
    let population = Population::new(NAMESPACE);
    population.create(&channels, 0..tasks).await?;
    for handed in 0..handoffs {
        population.hand_on(&channels, 0..tasks, handed).await?;
    }
    drop(channels);
    server.until_idle().await?;
    let tail = setting.sizes.tail.min(tasks);
    let mut stage = Stage { server, population, tasks, tail, handed: handoffs };
    let (mut stopped, mut killed, mut log_bytes) = (Starts::default(), Starts::default(), 0);
    for round in 1..=options.rounds {
        progress(&format!("restart: round {round}"));
        for end in [End::Terminate, End::Kill] {
            let starts = if end == End::Terminate { &mut stopped } else { &mut killed };
            stage = stage.restart(end, starts, setting, &mut log_bytes).await?;
        }
    }
    let events = stage.tasks * (1 + handoffs) + stage.tail * (stage.handed - handoffs);
    stage.server.stop().await?;
    for starts in [&mut stopped, &mut killed] {
        starts.serving_after_seconds = median(starts.rounds.clone());
    }
    Ok(Restart { live_tasks: tasks, events, tail, log_bytes, stopped, killed })
}

impl Stage {
    /// Hands the tasks of the tail on, ends the server and starts it again.
    async fn restart(
        self,
        end: End,
        starts: &mut Starts,
        setting: &Setting<'_>,
        log_bytes: &mut u64,
    ) -> Result<Self, Failure> {
        let channels = self.server.connect(setting.options.connections).await?;
        self.population.hand_on(&channels, 0..self.tail, self.handed).await?;
        drop(channels);
        let begun = Instant::now();
        let folder: BatonFolder = match end {
            End::Terminate => self.server.stop().await?,
            End::Kill => self.server.kill().await?,
        };
        starts.end_took_seconds.push(begun.elapsed().as_secs_f64());
        *log_bytes = folder.log_bytes()?;
        let server = setting.program.start_on(folder).await?;
        starts.rounds.push(server.serving_after.as_secs_f64());
        starts.resident_bytes = server.resident_bytes()?;
        starts.told = server.told_at_start().await;
        Ok(Self { server, handed: self.handed + 1, ..self })
    }
}

impl Restart {
    /// The figures as a table, for people.
    pub(super) fn text(&self) -> String {
        let columns = [
            Column::Text("AFTER"),
            Column::Number("SERVING AFTER"),
            Column::Number("LONGEST"),
            Column::Number("RSS"),
            Column::Number("THE END TOOK"),
        ];
        let row = |name: &str, starts: &Starts| {
            vec![
                name.to_owned(),
                time(starts.serving_after_seconds * 1e6),
                time(starts.rounds.iter().copied().fold(0.0, f64::max) * 1e6),
                mebibytes(starts.resident_bytes as f64),
                time(median(starts.end_took_seconds.clone()) * 1e6),
            ]
        };
        let rows = [row("SIGTERM", &self.stopped), row("SIGKILL", &self.killed)];
        let told = |starts: &Starts| starts.told.iter().map(|line| format!("  {line}\n")).collect::<String>();
        format!(
            "Start with {} live tasks, {} events in a log of {}, {} of them since the start before (aim: at most 3 s)\n\n{}\n\
             what the server said at its last start after SIGTERM:\n{}after SIGKILL:\n{}",
            thousands(self.live_tasks as f64),
            thousands(self.events as f64),
            mebibytes(self.log_bytes as f64),
            thousands(self.tail as f64),
            table(&columns, &rows),
            told(&self.stopped),
            told(&self.killed),
        )
    }

    /// Writes its plot into `folder`.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn plot(&self, folder: &Path) -> Result<(), Failure> {
        let bar = |name: &str, starts: &Starts| Bar {
            name: name.into(),
            value: starts.serving_after_seconds,
            label: time(starts.serving_after_seconds * 1e6),
            marked: true,
        };
        let title = format!(
            "From start to serving – {} live tasks, {} events",
            thousands(self.live_tasks as f64),
            thousands(self.events as f64)
        );
        let svg = bars(
            &title,
            &Axis::new("seconds", Scale::Linear),
            &[bar("after SIGTERM", &self.stopped), bar("after SIGKILL", &self.killed)],
        );
        save(folder, "scale-restart", &svg)
    }
}
