//! How a watcher goes about it, chosen by chance: where it begins, what it wants, how it reads, when it leaves.

use baton_proto::v1::{EventType, WatchFilter, WatchHandoffsRequest};

use super::writer::{AGENTS, TASKS, task_id};

/// How one watcher goes about it.
#[derive(Clone, Debug)]
pub(super) struct Habits {
    /// What it asks for first.
    pub(super) request: WatchHandoffsRequest,
    /// Reads this many messages, then none until the writers have had so many more answers; again and again.
    pub(super) pauses: Option<(usize, u64)>,
    /// Leaves after one message in so many, and goes on from where it was; 0: never.
    pub(super) leaves_one_in: u32,
}

/// The window of a connection that is read slowly, in bytes: a few events.
pub(super) const NARROW_BYTES: u32 = 2 * 1024;

impl Habits {
    /// Of a watcher of a namespace whose newest revision is `head`.
    pub(super) fn draw(random: &mut fastrand::Rng, namespace: &str, head: u64) -> Self {
        let all_events = random.u32(0..3) > 0;
        let filter = (random.u32(0..5) < 2).then(|| filter(random, all_events));
        let (start_revision, snapshot) = match random.u32(0..8) {
            0 | 1 => (0, false),
            2 | 3 => (0, true),
            4 | 5 => (1, false),
            6 => (random.u64(1..=head + 1), false),
            _ => (head + 1, false),
        };
        let nanos = random.i32(100..400) * 1_000_000;
        let request = WatchHandoffsRequest {
            namespace: namespace.to_owned(),
            start_revision,
            snapshot,
            filter,
            progress_interval: Some(prost_types::Duration { seconds: 0, nanos }),
            log_id: String::new(),
            all_events,
        };
        let pauses = (random.u32(0..3) == 0).then(|| (random.usize(1..8), random.u64(10..80)));
        let leaves_one_in = if random.bool() { random.u32(4..24) } else { 0 };
        Self { request, pauses, leaves_one_in }
    }
}

/// A filter with each list left out more often than not, but not all of them.
fn filter(random: &mut fastrand::Rng, all_events: bool) -> WatchFilter {
    let agents = AGENTS.map(str::to_owned);
    let tasks: Vec<_> = (0..TASKS).map(task_id).collect();
    let mut types =
        vec![EventType::HandoffCompleted, EventType::HandoffRejected, EventType::HandoffInitiated];
    if all_events {
        types.extend([EventType::TaskCreated, EventType::TaskUpdated, EventType::StateUpdated]);
    }
    let mut filter = WatchFilter::default();
    while filter == WatchFilter::default() {
        let mut some = |names: &[String], most: usize| -> Vec<String> {
            let count = if random.u32(0..3) == 0 { random.usize(1..=most) } else { 0 };
            (0..count).map(|_| random.choice(names).expect("there are some").clone()).collect()
        };
        let (task_ids, agent_ids) = (some(&tasks, TASKS / 2), some(&agents, 3));
        let (from_agents, to_agents) = (some(&agents, 3), some(&agents, 3));
        types.retain(|_| random.u32(0..3) > 0);
        let types = types.iter().take(random.usize(0..3)).map(|kind| *kind as i32).collect();
        filter = WatchFilter { task_ids, agent_ids, from_agents, to_agents, types };
    }
    filter
}
