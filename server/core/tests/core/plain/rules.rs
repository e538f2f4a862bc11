//! The rules of the plain world, and which are in force.

use super::{
    mistake::Mistake,
    op::Ask,
    reply::{Refusal, Reply},
    value::size,
    world::{TaskRecord, World},
};

/// Every rule by its name, in the order of the names.
pub(crate) const RULES: [&str; 12] = [
    "context_size",
    "empty_reason",
    "finished_task",
    "metadata_size",
    "not_owner",
    "open_handoff",
    "ping_pong",
    "self_handoff",
    "stale_owner",
    "state_size",
    "too_many_handoffs",
    "unknown_task",
];

impl World {
    pub(crate) fn switch(&mut self, rule: &'static str, on: bool) -> Result<Reply, Refusal> {
        let guards_truth = ["unknown_task", "stale_owner", "open_handoff"].contains(&rule);
        if guards_truth && !on && !self.makes(Mistake::AnyRuleSwitchable) {
            return Err(Refusal::RuleNotSwitchable { rule });
        }
        self.next_revision();
        if on {
            self.rules_off.remove(rule);
        } else {
            self.rules_off.insert(rule);
        }
        Ok(Reply::Rule { rule, on })
    }

    /// The names of the rules that `ask` breaks. `executing` is the hand-off that is executed, if it was initiated before.
    pub(crate) fn broken_rules(&self, ask: &Ask, executing: Option<u64>) -> Vec<&'static str> {
        let mut broken = Vec::new();
        if ask.reason.chars().all(char::is_whitespace) {
            broken.push("empty_reason");
        }
        if ask.from == ask.to {
            broken.push("self_handoff");
        }
        if ask.context_bytes > 65_536 {
            broken.push("context_size");
        }
        match self.tasks.get(&ask.task) {
            None => broken.push("unknown_task"),
            Some(record) => self.add_rules_of_the_task(record, ask, executing, &mut broken),
        }
        broken.retain(|rule| {
            let off = self.rules_off.contains(rule) && !self.makes(Mistake::SwitchIgnored);
            !off && !self.makes(Mistake::RuleIgnored(rule))
        });
        broken
    }

    fn add_rules_of_the_task(
        &self,
        record: &TaskRecord,
        ask: &Ask,
        executing: Option<u64>,
        broken: &mut Vec<&'static str>,
    ) {
        let task = &record.task;
        if task.owner != ask.from {
            broken.push("not_owner");
        }
        if ask.epoch.is_some_and(|epoch| epoch != task.epoch) {
            broken.push("stale_owner");
        }
        if task.status.is_finished() {
            broken.push("finished_task");
        }
        if task.open.is_some() && task.open != executing {
            broken.push("open_handoff");
        }
        let handoffs_max = if self.makes(Mistake::TooManyAllowsOneMore) { 33 } else { 32 };
        if task.handoffs >= handoffs_max {
            broken.push("too_many_handoffs");
        }
        if self.is_ping_pong(record, ask) {
            broken.push("ping_pong");
        }
        if size(&task.metadata) > 65_536 {
            broken.push("metadata_size");
        }
    }

    /// More than 4 of the last 8 hand-offs, with this one, would be between the same two.
    fn is_ping_pong(&self, record: &TaskRecord, ask: &Ask) -> bool {
        let window = if self.makes(Mistake::PingPongSeesOneMore) { 9 } else { 8 };
        let allowed = if self.makes(Mistake::PingPongAllowsOneMore) { 5 } else { 4 };
        let same_two = |(from, to): &&(String, String)| {
            (*from == ask.from && *to == ask.to) || (*from == ask.to && *to == ask.from)
        };
        record.pairs.iter().rev().take(window - 1).filter(same_two).count() + 1 > allowed
    }
}
