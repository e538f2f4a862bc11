//! Memory as finished tasks grow in number: each was created, handed off once and cancelled.

use std::path::Path;

use serde::Serialize;

use super::Setting;
use crate::{
    failure::Failure,
    output::progress,
    peers::NAMESPACE,
    plot::{Axis, Line, Scale, lines, save},
    population::Population,
    table::{Column, mebibytes, table, thousands, time},
};

/// Moments at which memory is read.
const STEPS: u64 = 10;

/// Memory with more and more finished tasks.
#[derive(Debug, Serialize)]
pub(super) struct Finished {
    steps: Vec<Step>,
    restarted_bytes: u64,
    serving_after_seconds: f64,
    log_bytes: u64,
}

/// Memory at one moment.
#[derive(Debug, Serialize)]
struct Step {
    finished: u64,
    resident_bytes: u64,
}

/// Measures it.
///
/// # Errors
/// A server cannot be started; a call fails.
pub(super) async fn measure(setting: &Setting<'_>) -> Result<Finished, Failure> {
    let all = setting.sizes.finished;
    let server = setting.program.start("").await?;
    let channels = server.connect(setting.options.connections).await?;
    let population = Population::new(NAMESPACE);
    let mut steps = vec![Step { finished: 0, resident_bytes: server.settled_bytes().await? }];
    for step in 0..STEPS {
        let tasks = all * step / STEPS..all * (step + 1) / STEPS;
        progress(&format!("finished: {} of {all} tasks", tasks.end));
        let finished = tasks.end;
        population.create(&channels, tasks.clone()).await?;
        population.hand_on(&channels, tasks.clone(), 0).await?;
        population.cancel(&channels, tasks).await?;
        steps.push(Step { finished, resident_bytes: server.settled_bytes().await? });
    }
    drop(channels);
    let folder = server.stop().await?;
    let log_bytes = folder.log_bytes()?;
    let server = setting.program.start_on(folder).await?;
    let serving_after_seconds = server.serving_after.as_secs_f64();
    let restarted_bytes = server.settled_bytes().await?;
    server.stop().await?;
    Ok(Finished { steps, restarted_bytes, serving_after_seconds, log_bytes })
}

impl Finished {
    /// The figures as a table, for people.
    pub(super) fn text(&self) -> String {
        let row = |step: &Step| vec![thousands(step.finished as f64), mebibytes(step.resident_bytes as f64)];
        let rows: Vec<Vec<String>> = self.steps.iter().map(row).collect();
        format!(
            "Memory with finished tasks (aim: bounded)\n\n{}\nrestarted: {}, serving after {}, log of {}\n",
            table(&[Column::Number("FINISHED"), Column::Number("RSS")], &rows),
            mebibytes(self.restarted_bytes as f64),
            time(self.serving_after_seconds * 1e6),
            mebibytes(self.log_bytes as f64),
        )
    }

    /// Writes its plot into `folder`.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn plot(&self, folder: &Path) -> Result<(), Failure> {
        let points = self
            .steps
            .iter()
            .map(|step| (step.finished as f64, step.resident_bytes as f64 / 1_048_576.0))
            .collect();
        let svg = lines(
            "Memory of the server with more finished tasks",
            &Axis::new("finished tasks", Scale::Linear),
            &Axis::new("resident memory, MiB", Scale::Linear),
            &[Line { name: "resident".into(), points }],
        );
        save(folder, "scale-finished", &svg)
    }
}
