//! Rate and latency with one to a thousand namespaces that are written at the same time, by as many callers each time.

use super::{
    Setting,
    flat::{Flat, Point, decades, measure as measure_points},
};
use crate::{
    failure::Failure,
    output::progress,
    peers::{BatonClient, HandOffs},
    ring::{HANDOFFS_PER_TASK, Ring},
};

/// Measures it.
///
/// # Errors
/// A server cannot be started; a call fails.
pub(super) async fn measure(setting: &Setting<'_>) -> Result<Flat, Failure> {
    let options = setting.options;
    let most = u64::from(setting.sizes.max_namespaces);
    // Each namespace has a caller at any time.
    let in_flight = usize::from(options.in_flight.max(setting.sizes.max_namespaces));
    let mut points = Vec::new();
    for namespaces in decades(1, most) {
        progress(&format!("namespaces: {in_flight} callers in {namespaces}"));
        let settings = format!("namespaces_max = {}\nconnection_streams_max = 4096\n", (most + 1).max(1_000));
        let server = setting.program.start(&settings).await?;
        let channels = server.connect(options.connections).await?;
        let mut callers = Vec::with_capacity(in_flight);
        for (index, channel) in (0..in_flight as u64).zip(channels.iter().cycle()) {
            let namespace = format!("bench-{}", index % namespaces);
            let ring = Ring::new(format!("caller-{index}"), &namespace, HANDOFFS_PER_TASK);
            callers.push(HandOffs::new(ring, BatonClient::new(channel.clone())).await?);
        }
        points.push(Point::new(namespaces, server, callers));
    }
    let title = format!("HandOff in more namespaces at once, {in_flight} in flight");
    measure_points("namespaces", (title, "NAMESPACES"), points, in_flight, options).await
}
