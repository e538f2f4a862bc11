//! The life of a hand-off in the plain world.

use std::rc::Rc;

use super::{
    mistake::Mistake,
    op::{Ask, Close, Keys},
    reply::{Refusal, Reply},
    states::Stuck,
    world::{Handoff, Happened, How, Status, Task, Why, World},
};

impl World {
    pub(crate) fn hand_off(&mut self, ask: &Ask, received_us: i64, now_us: i64) -> Result<Reply, Refusal> {
        let (handoff, task) = self.judged(ask, received_us, now_us)?;
        if handoff.status == "rejected" {
            return Ok(self.put_handoff(handoff, task, now_us));
        }
        Ok(self.carry_out(handoff, task, now_us))
    }

    pub(crate) fn initiate(&mut self, ask: &Ask, received_us: i64, now_us: i64) -> Result<Reply, Refusal> {
        let (handoff, mut task) = self.judged(ask, received_us, now_us)?;
        if handoff.status == "initiated" {
            task.open = Some(handoff.id);
        }
        Ok(self.put_handoff(handoff, task, now_us))
    }

    pub(crate) fn execute(&mut self, close: &Close, now_us: i64) -> Result<Reply, Refusal> {
        let (mut handoff, task) = self.open(close, "completed")?;
        let ask = Ask {
            task: handoff.task.clone(),
            from: handoff.from.clone(),
            to: handoff.to.clone(),
            reason: handoff.reason.clone(),
            epoch: None,
            moving: handoff.moving.clone(),
            context_bytes: handoff.context_bytes,
        };
        handoff.judged_us = now_us;
        handoff.errors = self.broken_rules(&ask, Some(handoff.id));
        if handoff.errors.is_empty() || self.makes(Mistake::ExecutedUnjudged) {
            return Ok(self.carry_out(handoff, task, now_us));
        }
        Ok(self.fail(handoff, task, Why::Rules, now_us))
    }

    pub(crate) fn withdraw(&mut self, close: &Close, now_us: i64) -> Result<Reply, Refusal> {
        let (mut handoff, mut task) = self.open(close, "withdrawn")?;
        handoff.status = "withdrawn";
        handoff.closed_us = Some(now_us);
        handoff.why = Why::Withdrawn(close.reason.clone());
        handoff.epoch = task.epoch;
        if task.open == Some(handoff.id) && !self.makes(Mistake::WithdrawnStaysOpen) {
            task.open = None;
        }
        if self.makes(Mistake::WithdrawnMovesTask) {
            task.owner.clone_from(&handoff.to);
        }
        Ok(self.put_handoff(handoff, task, now_us))
    }

    fn judged(&self, ask: &Ask, received_us: i64, now_us: i64) -> Result<(Handoff, Task), Refusal> {
        let errors = self.broken_rules(ask, None);
        let Some(record) = self.tasks.get(&ask.task) else {
            return Err(Refusal::HandoffOfUnknownTask { task: ask.task.clone(), errors });
        };
        let valid = errors.is_empty();
        let handoff = Handoff {
            id: self.revision + 1,
            task: ask.task.clone(),
            from: ask.from.clone(),
            to: ask.to.clone(),
            reason: ask.reason.clone(),
            status: if valid { "initiated" } else { "rejected" },
            errors,
            moving: ask.moving.clone(),
            from_revision: 0,
            context_bytes: ask.context_bytes,
            created_us: received_us,
            judged_us: now_us,
            closed_us: if valid { None } else { Some(now_us) },
            epoch: record.task.epoch,
            revision: 0,
            why: Why::Nothing,
        };
        Ok((handoff, record.task.clone()))
    }

    fn carry_out(&mut self, mut handoff: Handoff, mut task: Task, now_us: i64) -> Reply {
        let after = match self.state_after(&handoff) {
            Ok(after) => after,
            Err(Stuck::Missing(keys)) => return self.fail(handoff, task, Why::KeysMissing(keys), now_us),
            Err(Stuck::Conflict(keys)) => {
                return self.fail(handoff, task, Why::KeysInConflict(keys), now_us);
            }
        };
        if let Some(after) = after {
            handoff.from_revision = self.agents[&handoff.from].revision;
            let how = How::Transferred { from: handoff.from.clone(), handoff: Some(handoff.id) };
            self.put_state(&handoff.to, after, how, self.revision + 1, now_us);
        }
        self.move_task(&mut handoff, &mut task);
        handoff.status = "completed";
        handoff.closed_us = Some(now_us);
        self.put_handoff(handoff, task, now_us)
    }

    fn move_task(&mut self, handoff: &mut Handoff, task: &mut Task) {
        task.owner.clone_from(&handoff.to);
        if !self.makes(Mistake::EpochStays) {
            task.epoch += 1;
        }
        if !self.makes(Mistake::HandoffKeepsStatus) {
            task.status = Status::HandedOff;
        }
        if !self.makes(Mistake::HandoffsUncounted) {
            task.handoffs += 1;
        }
        task.outcome.clear();
        if task.open == Some(handoff.id) {
            task.open = None;
        }
        handoff.epoch = task.epoch;
        let record = self.record_mut(&task.id);
        record.pairs.push((handoff.from.clone(), handoff.to.clone()));
    }

    /// What the receiver knows after it; nothing, if nothing moves.
    fn state_after(&self, handoff: &Handoff) -> Result<Option<super::value::PlainMap>, Stuck> {
        let sender = self.agents.get(&handoff.from);
        match (&handoff.moving.keys, sender) {
            (Keys::None, _) | (Keys::All, None) => Ok(None),
            (Keys::Some(keys), None) => Err(Stuck::Missing(keys.clone())),
            (_, Some(sender)) => {
                let receiver = self.known_by(&handoff.to);
                self.received(&sender.state, &receiver, &handoff.moving).map(Some)
            }
        }
    }

    fn fail(&mut self, mut handoff: Handoff, mut task: Task, why: Why, now_us: i64) -> Reply {
        if self.makes(Mistake::FailedHandoffMovesState)
            && let Some(sender) = self.agents.get(&handoff.from)
        {
            let (state, how) =
                ((*sender.state).clone(), How::Transferred { from: handoff.from.clone(), handoff: None });
            self.put_state(&handoff.to, state, how, self.revision + 1, now_us);
        }
        if self.makes(Mistake::FailedHandoffMovesTask) {
            task.owner.clone_from(&handoff.to);
        }
        if task.open == Some(handoff.id) && !self.makes(Mistake::FailedHandoffStaysOpen) {
            task.open = None;
        }
        handoff.status = "failed";
        handoff.why = why;
        handoff.closed_us = Some(now_us);
        handoff.epoch = task.epoch;
        self.put_handoff(handoff, task, now_us)
    }

    fn open(&self, close: &Close, wanted: &'static str) -> Result<(Handoff, Task), Refusal> {
        let handoff = close.handoff;
        let Some(open) = self.handoffs.get(&handoff) else {
            return Err(Refusal::HandoffNotFound { handoff });
        };
        if open.status != "initiated" {
            return Err(Refusal::WrongHandoffStatus { handoff, status: open.status, wanted });
        }
        let task = &self.tasks[&open.task].task;
        self.check_epoch(task, close.epoch)?;
        Ok((Handoff::clone(open), task.clone()))
    }

    fn put_handoff(&mut self, mut handoff: Handoff, task: Task, now_us: i64) -> Reply {
        let revision = self.next_revision();
        handoff.revision = revision;
        self.handoffs.insert(handoff.id, Rc::new(handoff.clone()));
        let task = self.put_task_at(task, Happened::Handoff(handoff.clone()), revision, now_us);
        if handoff.status == "rejected" && self.makes(Mistake::RefusedLeavesNoTrace) {
            self.record_mut(&task.id).history.pop();
        }
        Reply::Handoff(handoff, task)
    }
}
