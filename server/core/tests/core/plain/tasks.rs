//! The life of a task in the plain world.

use std::rc::Rc;

use super::{
    mistake::Mistake,
    op::{Ending, Update, Who},
    reply::{Refusal, Reply},
    value::PlainMap,
    world::{Entry, Happened, Status, Task, TaskRecord, World},
};

impl World {
    pub(crate) fn create(
        &mut self,
        id: &str,
        description: &str,
        owner: &str,
        metadata: &Rc<PlainMap>,
        now_us: i64,
    ) -> Result<Reply, Refusal> {
        if let Some(present) = self.tasks.get(id) {
            return Err(Refusal::TaskExists { task: id.to_owned(), revision: present.task.revision });
        }
        let task = Task {
            id: id.to_owned(),
            description: description.to_owned(),
            status: Status::Pending,
            owner: owner.to_owned(),
            epoch: 1,
            created_us: now_us,
            updated_us: now_us,
            metadata: Rc::clone(metadata),
            revision: 0,
            handoffs: 0,
            open: None,
            progress: None,
            outcome: String::new(),
        };
        let record = TaskRecord { task: task.clone(), pairs: Vec::new(), history: Vec::new() };
        self.tasks.insert(id.to_owned(), Rc::new(record));
        Ok(self.put_task(task, Happened::Created, now_us))
    }

    pub(crate) fn update(&mut self, update: &Update, now_us: i64) -> Result<Reply, Refusal> {
        let mut task = self.acted_on(&update.task, &update.who)?;
        if let Some(expected) = update.expected
            && expected != task.revision
            && !self.makes(Mistake::ExpectedRevisionIgnored)
        {
            return Err(Refusal::RevisionMismatch { revision: task.revision, expected });
        }
        let closed = task.status.is_finished() && !self.makes(Mistake::FinishedTaskChanges);
        if closed || (update.start && task.status == Status::InProgress) {
            return Err(wrong_status(&task, Status::InProgress));
        }
        if update.start {
            task.status = Status::InProgress;
        }
        if let Some(description) = &update.description {
            task.description.clone_from(description);
        }
        if let Some(metadata) = &update.metadata {
            task.metadata = Rc::clone(metadata);
        }
        if update.progress.is_some() {
            task.progress.clone_from(&update.progress);
        }
        let happened = if update.start { Happened::Started } else { Happened::Updated };
        Ok(self.put_task(task, happened, now_us))
    }

    pub(crate) fn end(
        &mut self,
        id: &str,
        who: &Who,
        how: Ending,
        outcome: &str,
        now_us: i64,
    ) -> Result<Reply, Refusal> {
        let mut task = self.acted_on(id, who)?;
        let (wanted, possible) = match how {
            Ending::Complete => (
                Status::Completed,
                task.status == Status::InProgress
                    || (task.status == Status::Pending && self.makes(Mistake::CompletedWithoutStart)),
            ),
            Ending::Fail => (Status::Failed, task.status == Status::InProgress),
            Ending::Cancel => (Status::Cancelled, !task.status.is_finished()),
        };
        if !possible {
            return Err(wrong_status(&task, wanted));
        }
        task.status = wanted;
        outcome.clone_into(&mut task.outcome);
        Ok(self.put_task(task, Happened::Ended(outcome.to_owned()), now_us))
    }

    /// Makes `task` what it is from now on, with a line in its history.
    pub(crate) fn put_task(&mut self, task: Task, happened: Happened, now_us: i64) -> Reply {
        let revision = self.next_revision();
        Reply::Task(self.put_task_at(task, happened, revision, now_us))
    }

    pub(crate) fn put_task_at(
        &mut self,
        mut task: Task,
        happened: Happened,
        revision: u64,
        now_us: i64,
    ) -> Task {
        let touched = self.tasks[&task.id].task != task || self.makes(Mistake::RefusalTouchesTask);
        if touched || !matches!(happened, Happened::Handoff(_)) {
            task.revision = revision;
            task.updated_us = now_us;
        }
        let record = self.record_mut(&task.id);
        record.task = task.clone();
        record.history.push(Rc::new(Entry {
            revision,
            time_us: now_us,
            what: happened,
            status: task.status,
            owner: task.owner.clone(),
            epoch: task.epoch,
        }));
        task
    }

    fn acted_on(&self, id: &str, who: &Who) -> Result<Task, Refusal> {
        let Some(record) = self.tasks.get(id) else {
            return Err(Refusal::TaskNotFound { task: id.to_owned() });
        };
        self.check_epoch(&record.task, who.epoch)?;
        match &who.agent {
            Some(agent) if *agent != record.task.owner && !self.makes(Mistake::AnyoneMayAct) => {
                Err(Refusal::NotOwner {
                    task: id.to_owned(),
                    owner: record.task.owner.clone(),
                    epoch: record.task.epoch,
                    agent: agent.clone(),
                })
            }
            _ => Ok(record.task.clone()),
        }
    }

    pub(crate) fn check_epoch(&self, task: &Task, given: Option<u64>) -> Result<(), Refusal> {
        match given {
            Some(given) if given != task.epoch && !self.makes(Mistake::StaleEpochAccepted) => {
                Err(Refusal::StaleOwner {
                    task: task.id.clone(),
                    owner: task.owner.clone(),
                    epoch: task.epoch,
                    given,
                })
            }
            _ => Ok(()),
        }
    }
}

fn wrong_status(task: &Task, wanted: Status) -> Refusal {
    Refusal::WrongTaskStatus { task: task.id.clone(), status: task.status, wanted }
}
