//! What a live task costs the server in memory: created, handed off once, and after a restart, when nothing but the state is left.

use std::path::Path;

use serde::Serialize;

use super::Setting;
use crate::{
    failure::Failure,
    output::progress,
    peers::NAMESPACE,
    plot::{Axis, Bar, Scale, bars, save},
    population::Population,
    table::{Column, mebibytes, table, thousands},
};

/// Memory with and without live tasks, in bytes.
#[derive(Debug, Serialize)]
pub(super) struct Memory {
    tasks: u64,
    request_ids: bool,
    started: u64,
    created: u64,
    handed_off: u64,
    restarted: u64,
    bytes_per_task_created: f64,
    bytes_per_task_handed_off: f64,
    bytes_per_task_restarted: f64,
}

/// Measures it, with request ids for the server to remember or without.
///
/// # Errors
/// A server cannot be started; a call fails.
pub(super) async fn measure(setting: &Setting<'_>, request_ids: bool) -> Result<Memory, Failure> {
    let tasks = setting.sizes.live;
    progress(&format!("memory: {tasks} tasks, request ids: {request_ids}"));
    let server = setting.program.start("").await?;
    let channels = server.connect(setting.options.connections).await?;
    let started = server.settled_bytes().await?;
    let population = Population { request_ids, ..Population::new(NAMESPACE) };
    population.create(&channels, 0..tasks).await?;
    let created = server.settled_bytes().await?;
    population.hand_on(&channels, 0..tasks, 0).await?;
    let handed_off = server.settled_bytes().await?;
    drop(channels);
    let server = setting.program.start_on(server.stop().await?).await?;
    let restarted = server.settled_bytes().await?;
    server.stop().await?;
    let each = |bytes: u64| bytes.saturating_sub(started) as f64 / tasks as f64;
    Ok(Memory {
        tasks,
        request_ids,
        started,
        created,
        handed_off,
        restarted,
        bytes_per_task_created: each(created),
        bytes_per_task_handed_off: each(handed_off),
        bytes_per_task_restarted: each(restarted),
    })
}

/// The figures as a table, for people.
pub(super) fn text(all: &[Memory]) -> String {
    let columns = [
        Column::Text("LIVE TASKS"),
        Column::Number("STARTED"),
        Column::Number("CREATED"),
        Column::Number("HANDED OFF"),
        Column::Number("RESTARTED"),
        Column::Number("BYTES A TASK: CREATED"),
        Column::Number("HANDED OFF"),
        Column::Number("RESTARTED"),
    ];
    let row = |memory: &Memory| {
        let resident = [memory.started, memory.created, memory.handed_off, memory.restarted];
        let each = [
            memory.bytes_per_task_created,
            memory.bytes_per_task_handed_off,
            memory.bytes_per_task_restarted,
        ];
        let mut cells = vec![memory.name()];
        cells.extend(resident.map(|bytes| mebibytes(bytes as f64)));
        cells.extend(each.map(thousands));
        cells
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    format!(
        "Memory of live tasks with one hand-off (aim: at most 500 bytes a task)\n\n{}",
        table(&columns, &rows)
    )
}

/// Writes the plot into `folder`.
///
/// # Errors
/// It cannot be written.
pub(super) fn plot(all: &[Memory], folder: &Path) -> Result<(), Failure> {
    let bars_of = |memory: &Memory| {
        let each = [
            ("created", memory.bytes_per_task_created),
            ("handed off", memory.bytes_per_task_handed_off),
            ("restarted", memory.bytes_per_task_restarted),
        ];
        let ids = if memory.request_ids { ", ids" } else { "" };
        each.map(|(name, value)| Bar {
            name: format!("{name}{ids}"),
            value,
            label: thousands(value),
            marked: !memory.request_ids,
        })
    };
    let all: Vec<Bar> = all.iter().flat_map(bars_of).collect();
    let title = "Memory of a live task; “ids”: with the request ids that are remembered for it";
    save(folder, "scale-memory", &bars(title, &Axis::new("bytes per task", Scale::Linear), &all))
}

impl Memory {
    fn name(&self) -> String {
        let ids = if self.request_ids { "with request ids" } else { "without request ids" };
        format!("{} {ids}", thousands(self.tasks as f64))
    }
}
