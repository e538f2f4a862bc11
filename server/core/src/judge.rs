//! Judges a proposed hand-off by the built-in rules: all violations at once, nothing changed.
//!
//! Pure: looks only at the draft it is given.

use std::sync::Arc;

use crate::{
    AgentState, BuiltInRule, Draft, HandoffId, Proposal, RuleName, Task, TaskStatus, Text, Verdict,
    Violation,
    limits::{
        HANDOFFS_PER_TASK_MAX, PING_PONG_MAX, PING_PONG_WINDOW, RULE_CONTEXT_BYTES_MAX,
        RULE_METADATA_BYTES_MAX, RULE_STATE_BYTES_MAX,
    },
};

/// What the rules in force say of `proposal`. `executing` is the open hand-off that is being executed, if it is one.
pub fn judge(draft: &Draft<'_>, proposal: &Proposal, executing: Option<HandoffId>) -> Verdict {
    let (task, sender) = (draft.task(&proposal.task_id), draft.agent(&proposal.from));
    judge_of(draft, proposal, executing, task.as_deref(), sender)
}

/// As [`judge`], with the task and the sender's state as the draft has them.
pub(crate) fn judge_of(
    draft: &Draft<'_>,
    proposal: &Proposal,
    executing: Option<HandoffId>,
    task: Option<&Task>,
    sender: Option<&Arc<AgentState>>,
) -> Verdict {
    let mut findings = Findings { draft, errors: Vec::new() };
    findings.judge_words(proposal);
    match task {
        Some(task) => findings.judge_task(task, proposal, executing),
        None => findings.add(BuiltInRule::UnknownTask, || {
            format!("task {} does not exist; create it first or correct the id", proposal.task_id)
        }),
    }
    findings.judge_state(proposal, sender);
    Verdict { errors: findings.errors, warnings: Vec::new() }
}

struct Findings<'a, 'b> {
    draft: &'a Draft<'b>,
    errors: Vec<Violation>,
}

impl Findings<'_, '_> {
    fn add(&mut self, rule: BuiltInRule, message: impl FnOnce() -> String) {
        if self.draft.rules().is_on(rule) {
            let violation = Violation { rule: RuleName::new(rule.name()), message: Text::new(message()) };
            self.errors.push(violation);
        }
    }

    fn judge_words(&mut self, proposal: &Proposal) {
        if proposal.reason.trim().is_empty() {
            self.add(BuiltInRule::EmptyReason, || {
                "the reason is empty; say why the task is handed on".into()
            });
        }
        if proposal.from == proposal.to {
            self.add(BuiltInRule::SelfHandoff, || {
                format!("{} would hand the task to itself; name another receiver", proposal.from)
            });
        }
        let bytes = proposal.context.as_ref().map_or(0, |context| context.size());
        if bytes > RULE_CONTEXT_BYTES_MAX {
            self.add(BuiltInRule::ContextSize, || {
                format!(
                    "the context has {bytes} bytes; the limit is {RULE_CONTEXT_BYTES_MAX}: summarise it and refer to the rest"
                )
            });
        }
    }

    fn judge_task(&mut self, task: &Task, proposal: &Proposal, executing: Option<HandoffId>) {
        self.judge_ownership(task, proposal);
        self.judge_life(task, executing);
        self.judge_path(task, proposal);
        if task.metadata_bytes > RULE_METADATA_BYTES_MAX as u64 {
            self.add(BuiltInRule::MetadataSize, || {
                format!(
                    "the metadata of task {} has {} bytes; the limit is {RULE_METADATA_BYTES_MAX}: make it smaller by UpdateTask",
                    task.id, task.metadata_bytes
                )
            });
        }
    }

    fn judge_ownership(&mut self, task: &Task, proposal: &Proposal) {
        if task.owner != proposal.from {
            self.add(BuiltInRule::NotOwner, || {
                format!(
                    "task {} is owned by {} (epoch {}), not by {}",
                    task.id, task.owner, task.owner_epoch, proposal.from
                )
            });
        }
        if let Some(given) = proposal.owner_epoch.filter(|given| *given != task.owner_epoch) {
            self.add(BuiltInRule::StaleOwner, || {
                format!(
                    "task {} is at owner epoch {} ({}), not {given}; read the task again before acting on it",
                    task.id, task.owner_epoch, task.owner
                )
            });
        }
    }

    fn judge_life(&mut self, task: &Task, executing: Option<HandoffId>) {
        if task.status.is_finished() {
            self.add(BuiltInRule::FinishedTask, || {
                format!(
                    "task {} is {}; only a task that is {}, {} or {} can be handed on",
                    task.id,
                    task.status,
                    TaskStatus::Pending,
                    TaskStatus::InProgress,
                    TaskStatus::HandedOff
                )
            });
        }
        if let Some(open) = task.open_handoff.filter(|open| Some(*open) != executing) {
            self.add(BuiltInRule::OpenHandoff, || {
                format!("hand-off {open} of task {} is open; execute or withdraw it first", task.id)
            });
        }
    }

    fn judge_path(&mut self, task: &Task, proposal: &Proposal) {
        if task.handoff_count >= HANDOFFS_PER_TASK_MAX {
            self.add(BuiltInRule::TooManyHandoffs, || {
                format!(
                    "task {} was handed on {} times; the limit is {HANDOFFS_PER_TASK_MAX}: finish it or ask a person",
                    task.id, task.handoff_count
                )
            });
        }
        let between = task.recent_pairs.between(&proposal.from, &proposal.to);
        if between + 1 > PING_PONG_MAX {
            self.add(BuiltInRule::PingPong, || {
                format!(
                    "task {} went {between} times between {} and {} in its last {} hand-offs; the limit is {PING_PONG_MAX} in {PING_PONG_WINDOW}: finish it or hand it to a third agent",
                    task.id,
                    proposal.from,
                    proposal.to,
                    task.recent_pairs.len()
                )
            });
        }
    }

    fn judge_state(&mut self, proposal: &Proposal, sender: Option<&Arc<AgentState>>) {
        if !proposal.transfer.enabled {
            return;
        }
        let Some(sender) = sender else { return };
        let bytes = sender.knowledge.moving_size(&proposal.transfer);
        if bytes > RULE_STATE_BYTES_MAX {
            self.add(BuiltInRule::StateSize, || {
                format!(
                    "{bytes} bytes of the state of {} would move; the limit is {RULE_STATE_BYTES_MAX}: transfer only the keys that are needed",
                    proposal.from
                )
            });
        }
    }
}
