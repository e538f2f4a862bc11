//! Rate and latency with states of a hundred bytes to a mebibyte that move along.

use prost_types::{Struct, Value, value::Kind};

use super::{
    Setting,
    flat::{Flat, Point, measure as measure_points},
};
use crate::{
    failure::Failure,
    peers::{BatonClient, HandOffs, NAMESPACE},
    ring::{HANDOFFS_PER_TASK, Ring},
};

/// Sizes of a state, in bytes.
const STATE_BYTES: [u64; 5] = [100, 1_000, 10_000, 100_000, 1_048_576];
/// Bytes that a state takes besides its text: its key, and what the contract counts around it.
const OVERHEAD_BYTES: u64 = 64;

/// Measures it.
///
/// # Errors
/// A server cannot be started; a call fails.
pub(super) async fn measure(setting: &Setting<'_>) -> Result<Flat, Failure> {
    let options = setting.options;
    let (in_flight, mut points) = (usize::from(options.in_flight), Vec::new());
    for bytes in STATE_BYTES {
        let server = setting.program.start("").await?;
        let channels = server.connect(options.connections).await?;
        let mut callers = Vec::with_capacity(in_flight);
        for (index, channel) in (0..in_flight).zip(channels.iter().cycle()) {
            let ring = Ring::new(format!("caller-{index}"), NAMESPACE, HANDOFFS_PER_TASK);
            let agent = ring.agent(0);
            callers.push(
                HandOffs::with_state(ring, BatonClient::new(channel.clone()), &agent, state(bytes)).await?,
            );
        }
        points.push(Point::new(bytes, server, callers));
    }
    let title = format!("HandOff with a larger state that moves, {in_flight} in flight");
    measure_points("states", (title, "BYTES OF STATE"), points, in_flight, options).await
}

fn state(bytes: u64) -> Struct {
    let text = "x".repeat(usize::try_from(bytes.saturating_sub(OVERHEAD_BYTES)).unwrap_or_default());
    let document = ("document".to_owned(), Value { kind: Some(Kind::StringValue(text)) });
    Struct { fields: [document].into() }
}
