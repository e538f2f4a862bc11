//! Rate and latency from tasks that were handed on once to tasks that were handed on ten thousand times.
//!
//! Each server has as many hand-offs in all, so that only their spread over tasks differs.

use tonic::transport::Channel;

use super::{
    Setting,
    flat::{Flat, Point, decades, measure as measure_points},
    roving::Roving,
    rules::allow_many_handoffs,
};
use crate::{failure::Failure, output::progress, peers::NAMESPACE, population::Population};

/// From so many tasks on, batches hold each task once; with fewer, one task many times.
const TASKS_FOR_PASSES_MIN: u64 = 1_000;

/// Measures it.
///
/// # Errors
/// A server cannot be started; a call fails.
pub(super) async fn measure(setting: &Setting<'_>) -> Result<Flat, Failure> {
    let options = setting.options;
    let (in_flight, mut points) = (usize::from(options.in_flight), Vec::new());
    let all = setting.sizes.max_handoffs * u64::from(options.in_flight);
    for handoffs in decades(1, setting.sizes.max_handoffs) {
        let tasks = all / handoffs;
        progress(&format!("histories: handing {tasks} tasks on {handoffs} times"));
        let server = setting.program.start("").await?;
        let channels = server.connect(options.connections).await?;
        let population = Population::new(NAMESPACE);
        allow_many_handoffs(&channels[0], NAMESPACE).await?;
        population.create(&channels, 0..tasks).await?;
        hand_on(&population, &channels, tasks, handoffs).await?;
        let handed = u32::try_from(handoffs).unwrap_or(u32::MAX);
        let callers = Roving::crew(&population, &channels, in_flight, tasks, handed);
        points.push(Point::new(handoffs, server, callers));
    }
    let title = format!("HandOff of tasks with more hand-offs behind them, {in_flight} in flight");
    measure_points("histories", (title, "HAND-OFFS OF A TASK"), points, in_flight, options).await
}

async fn hand_on(
    population: &Population,
    channels: &[Channel],
    tasks: u64,
    handoffs: u64,
) -> Result<(), Failure> {
    if tasks >= TASKS_FOR_PASSES_MIN {
        for handed in 0..handoffs {
            population.hand_on(channels, 0..tasks, handed).await?;
        }
    } else {
        for index in 0..tasks {
            population.hand_on_often(&channels[0], index, handoffs).await?;
        }
    }
    Ok(())
}
