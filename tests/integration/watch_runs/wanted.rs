//! Which events a watch asks for, read from the contract's words alone and evaluated on facts.

use baton_proto::v1::WatchHandoffsRequest;

use super::fact::Fact;

fn among(list: &[String], value: &str) -> bool {
    list.iter().any(|wanted| wanted == value)
}

/// Whether the watch asks for what happened.
pub(super) fn wanted(request: &WatchHandoffsRequest, fact: &Fact) -> bool {
    if fact.handoff.is_none() && !request.all_events {
        return false;
    }
    let Some(filter) = &request.filter else { return true };
    let (from, to) = match &fact.handoff {
        Some(handoff) => (handoff.from.as_str(), handoff.to.as_str()),
        None => ("", ""),
    };
    let owner = fact.task.as_ref().map_or("", |task| &task.owner);
    // A hand-off is between its sender and its receiver, whoever owns the task.
    let taking_part = match &fact.handoff {
        Some(_) => [from, to, ""],
        None => [owner, &fact.agent, &fact.transferred_from],
    };
    let task = fact.task.as_ref().map_or("", |task| &task.id);
    (filter.task_ids.is_empty() || among(&filter.task_ids, task))
        && (filter.agent_ids.is_empty() || taking_part.iter().any(|agent| among(&filter.agent_ids, agent)))
        && (filter.from_agents.is_empty() || among(&filter.from_agents, from))
        && (filter.to_agents.is_empty() || among(&filter.to_agents, to))
        && (filter.types.is_empty() || filter.types.contains(&(fact.kind as i32)))
}

/// Whether the watch asks for every event that there is.
pub(super) fn wants_all(request: &WatchHandoffsRequest) -> bool {
    let filter = request.filter.clone().unwrap_or_default();
    request.all_events && filter == Default::default()
}
