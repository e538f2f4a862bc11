//! Rate and latency with none to a thousand watchers: of something else, which costs what it costs to look, and of everything, which costs
//! what it costs to deliver. What is delivered is counted apart.

use baton_proto::v1::{WatchFilter, WatchHandoffsRequest};

use super::{
    Setting,
    flat::{Audience, Flat, Point, decades, measure as measure_points},
};
use crate::{
    failure::Failure,
    output::progress,
    peers::{BatonClient, HandOffs, NAMESPACE},
    ring::{HANDOFFS_PER_TASK, Ring},
    watch::{from_now, settings},
};

/// Connections of the watchers.
const WATCH_CONNECTIONS: u16 = 10;

/// What watchers watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interest {
    /// A task that nothing happens to.
    Nothing,
    /// All hand-offs.
    Everything,
}

/// Measures it.
///
/// # Errors
/// A server cannot be started; a call or a watch fails.
pub(super) async fn measure(setting: &Setting<'_>, interest: Interest) -> Result<Flat, Failure> {
    let options = setting.options;
    let (in_flight, mut points) = (usize::from(options.in_flight), Vec::new());
    let most = setting.sizes.max_watchers;
    let counts = std::iter::once(0).chain(decades(10.min(most.into()), most.into()));
    for watchers in counts {
        progress(&format!("watchers: {watchers} of {interest:?}").to_lowercase());
        let server = setting.program.start(&settings(most, WATCH_CONNECTIONS)).await?;
        let channels = server.connect(options.connections).await?;
        let mut callers = Vec::with_capacity(in_flight);
        for (index, channel) in (0..in_flight).zip(channels.iter().cycle()) {
            let ring = Ring::new(format!("caller-{index}"), NAMESPACE, HANDOFFS_PER_TASK);
            callers.push(HandOffs::new(ring, BatonClient::new(channel.clone())).await?);
        }
        let watch = server.connect(WATCH_CONNECTIONS).await?;
        let audience = Audience::open(&watch, &interest.request(), watchers).await?;
        points.push(Point::new(watchers, server, callers).watched(audience));
    }
    let (name, what) = match interest {
        Interest::Nothing => ("watchers-idle", "that want none of its events"),
        Interest::Everything => ("watchers", "that get all of its events"),
    };
    let title = format!("HandOff with more watchers {what}, {in_flight} in flight");
    measure_points(name, (title, "WATCHERS"), points, in_flight, options).await
}

impl Interest {
    fn request(self) -> WatchHandoffsRequest {
        match self {
            Self::Everything => from_now(),
            Self::Nothing => {
                let filter = WatchFilter { task_ids: vec!["another-task".into()], ..Default::default() };
                WatchHandoffsRequest { filter: Some(filter), ..from_now() }
            }
        }
    }
}
