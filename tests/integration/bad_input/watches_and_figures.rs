//! Bad requests to watch, and for figures.

use baton_proto::v1::{self, WatchFilter, WatchHandoffsRequest};
use prost_types::Duration;

use super::{Case, bad_optional_ids, case, long};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = watches();
    cases.extend(figures());
    cases
}

fn watches() -> Vec<Case> {
    let watch = WatchHandoffsRequest::default;
    let filtered = |filter| WatchHandoffsRequest { filter: Some(filter), ..watch() };
    let filter = WatchFilter::default;
    let mut cases = Vec::new();
    for (what, id) in bad_optional_ids() {
        let request = WatchHandoffsRequest { namespace: id, ..watch() };
        cases.push(case!(what, handoffs.watch_handoffs(request) => ["namespace"]));
    }
    let request = WatchHandoffsRequest { start_revision: 1, snapshot: true, ..watch() };
    cases.push(case!("a snapshot from a revision", handoffs.watch_handoffs(request) => ["start_revision"]));
    let intervals = [(0, 0), (0, 99_999_999), (3_600, 1), (-1, 0), (i64::MAX, 0), (0, -1)];
    for (seconds, nanos) in intervals {
        let progress_interval = Some(Duration { seconds, nanos });
        let request = WatchHandoffsRequest { progress_interval, ..watch() };
        cases.push(case!(format!("{seconds} s {nanos} ns"), handoffs.watch_handoffs(request) =>
            ["progress_interval"]));
    }
    let half: Vec<String> = (0..501).map(|index| index.to_string()).collect();
    let request = filtered(WatchFilter { task_ids: half.clone(), to_agents: half, ..filter() });
    cases.push(case!("1,002 values", handoffs.watch_handoffs(request) => ["filter"]));
    let bad = || vec!["good".to_owned(), String::new()];
    let types = vec![v1::EventType::HandoffCompleted.into(), 0, 99, v1::EventType::TaskCreated.into()];
    let request = filtered(WatchFilter {
        task_ids: bad(),
        agent_ids: bad(),
        from_agents: bad(),
        to_agents: bad(),
        types,
    });
    cases.push(case!("everything", handoffs.watch_handoffs(request) =>
        ["filter.task_ids[1]", "filter.agent_ids[1]", "filter.from_agents[1]", "filter.to_agents[1]",
            "filter.types[1]", "filter.types[2]", "filter.types[3]"]));
    cases
}

fn figures() -> Vec<Case> {
    let mut cases = Vec::new();
    for (seconds, nanos) in [(0, 0), (-1, 0), (11 * 366 * 86_400, 0), (i64::MIN, 0), (i64::MAX, i32::MAX)] {
        let window = Some(Duration { seconds, nanos });
        let request = v1::GetSummaryRequest { window, ..Default::default() };
        cases.push(case!(format!("{seconds} s"), monitor.get_summary(request) => ["window"]));
    }
    let agent = v1::SummaryGrouping::Agent.into();
    let request = v1::GetSummaryRequest {
        namespace: " ".into(),
        window: Some(Duration::default()),
        group_by: vec![agent, 0, 4, agent],
        agent_id: "\n".into(),
    };
    cases.push(case!("everything", monitor.get_summary(request) =>
        ["namespace", "agent_id", "window", "group_by[1]", "group_by[2]", "group_by[3]"]));
    let request = v1::VerifyLogRequest { namespace: long(257) };
    cases.push(case!("namespace", monitor.verify_log(request) => ["namespace"]));
    cases
}
