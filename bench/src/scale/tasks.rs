//! Rate and latency from a thousand tasks to millions, all of them live and any of them next.

use super::{
    Setting,
    flat::{Flat, Point, decades, measure as measure_points},
    roving::Roving,
    rules::allow_many_handoffs,
};
use crate::{failure::Failure, output::progress, peers::NAMESPACE, population::Population};

/// Fewest tasks.
const TASKS_MIN: u64 = 1_000;

/// Measures it.
///
/// # Errors
/// A server cannot be started; a call fails.
pub(super) async fn measure(setting: &Setting<'_>) -> Result<Flat, Failure> {
    let options = setting.options;
    let (in_flight, mut points) = (usize::from(options.in_flight), Vec::new());
    for tasks in decades(TASKS_MIN, setting.sizes.max_tasks) {
        progress(&format!("tasks: creating {tasks}"));
        let server = setting.program.start("").await?;
        let channels = server.connect(options.connections).await?;
        let population = Population::new(NAMESPACE);
        allow_many_handoffs(&channels[0], NAMESPACE).await?;
        population.create(&channels, 0..tasks).await?;
        let callers = Roving::crew(&population, &channels, in_flight, tasks, 0);
        points.push(Point::new(tasks, server, callers));
    }
    let title = format!("HandOff of tasks at random, {in_flight} in flight, with more tasks");
    measure_points("tasks", (title, "TASKS"), points, in_flight, options).await
}
