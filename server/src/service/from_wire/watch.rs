//! Requests to watch into what a watcher wants.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use baton_core::Revision;
use baton_proto::v1;

use super::Check;
use crate::{engine::Wanted, status::Refusal};

/// Most values of a filter, in all its lists.
const FILTER_VALUES_MAX: usize = 1_000;
/// How often a watcher hears of progress unless it asks for another interval.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(15);
/// The shortest such interval.
const PROGRESS_INTERVAL_MIN: Duration = Duration::from_millis(100);
/// The longest.
const PROGRESS_INTERVAL_MAX: Duration = Duration::from_secs(3_600);

/// What a watcher wants.
#[derive(Debug)]
pub(in crate::service) struct WatchQuery {
    pub(in crate::service) namespace: Arc<str>,
    /// The first revision; 0: from now.
    pub(in crate::service) start: Revision,
    pub(in crate::service) snapshot: bool,
    pub(in crate::service) progress_interval: Duration,
    pub(in crate::service) log_id: Option<String>,
    pub(in crate::service) wanted: Wanted,
}

pub(in crate::service) fn watch_handoffs(request: v1::WatchHandoffsRequest) -> Result<WatchQuery, Refusal> {
    let mut check = Check::new();
    let namespace = check.namespace(&request.namespace);
    if request.snapshot && request.start_revision != 0 {
        check.wrong("start_revision", "must be 0 with snapshot, which says itself where it starts");
    }
    let bounds = PROGRESS_INTERVAL_MIN..=PROGRESS_INTERVAL_MAX;
    let progress_interval = request
        .progress_interval
        .as_ref()
        .map_or(PROGRESS_INTERVAL, |given| check.duration("progress_interval", given, bounds));
    let wanted = wanted(&mut check, request.filter.unwrap_or_default(), request.all_events);
    check.finish(WatchQuery {
        namespace,
        start: Revision(request.start_revision),
        snapshot: request.snapshot,
        progress_interval,
        log_id: (!request.log_id.is_empty()).then_some(request.log_id),
        wanted,
    })
}

fn wanted(check: &mut Check, filter: v1::WatchFilter, all_events: bool) -> Wanted {
    let v1::WatchFilter { task_ids, agent_ids, from_agents, to_agents, types } = filter;
    let count = task_ids.len() + agent_ids.len() + from_agents.len() + to_agents.len() + types.len();
    if count > FILTER_VALUES_MAX {
        check.wrong("filter", format!("has {count} values; the limit is {FILTER_VALUES_MAX}"));
        return Wanted::default();
    }
    Wanted {
        all_events,
        tasks: ids(check, "filter.task_ids", task_ids),
        agents: ids(check, "filter.agent_ids", agent_ids),
        from: ids(check, "filter.from_agents", from_agents),
        to: ids(check, "filter.to_agents", to_agents),
        types: event_types(check, &types, all_events),
    }
}

fn ids(check: &mut Check, field: &str, ids: Vec<String>) -> BTreeSet<String> {
    for (index, id) in ids.iter().enumerate() {
        check.id(&format!("{field}[{index}]"), id);
    }
    ids.into_iter().collect()
}

fn event_types(check: &mut Check, types: &[i32], all_events: bool) -> BTreeSet<i32> {
    let mut known = BTreeSet::new();
    for (index, value) in types.iter().enumerate() {
        let field = format!("filter.types[{index}]");
        match check.known(&field, *value, v1::EventType::try_from(*value)) {
            Some(v1::EventType::Unspecified) => check.wrong(&field, "is unspecified; name a type"),
            Some(event_type) if !all_events && event_type as i32 >= v1::EventType::TaskCreated as i32 => {
                check.wrong(
                    &field,
                    format!("{} is not an event of hand-offs; ask for all_events", event_type.as_str_name()),
                );
            }
            Some(event_type) => _ = known.insert(event_type.into()),
            None => {}
        }
    }
    known
}
