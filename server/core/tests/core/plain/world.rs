//! The plain world: everything as it is and as it was, and the way in.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    mistake::Mistake,
    op::{Mode, Moving, Op, What},
    reply::{Refusal, Reply},
    value::PlainMap,
};

/// Copied before each batch, so what is large is shared with the copy until it is changed.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) revision: u64,
    pub(crate) tasks: BTreeMap<String, Rc<TaskRecord>>,
    pub(crate) agents: BTreeMap<String, Agent>,
    pub(crate) handoffs: BTreeMap<u64, Rc<Handoff>>,
    pub(crate) rules_off: BTreeSet<&'static str>,
    /// Oldest first.
    pub(crate) requests: Vec<Remembered>,
    pub(crate) requests_max: usize,
    pub(crate) requests_age_us: i64,
    pub(crate) mistake: Option<Mistake>,
}

#[derive(Clone, Debug)]
pub(crate) struct TaskRecord {
    pub(crate) task: Task,
    /// Of every completed hand-off.
    pub(crate) pairs: Vec<(String, String)>,
    pub(crate) history: Vec<Rc<Entry>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) description: String,
    pub(crate) status: Status,
    pub(crate) owner: String,
    pub(crate) epoch: u64,
    pub(crate) created_us: i64,
    pub(crate) updated_us: i64,
    pub(crate) metadata: Rc<PlainMap>,
    pub(crate) revision: u64,
    pub(crate) handoffs: u32,
    pub(crate) open: Option<u64>,
    pub(crate) progress: Option<(u32, String)>,
    pub(crate) outcome: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Status {
    Pending,
    InProgress,
    Completed,
    Failed,
    HandedOff,
    Cancelled,
}

impl Status {
    pub(crate) fn is_finished(self) -> bool {
        self == Self::Completed || self == Self::Failed || self == Self::Cancelled
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) revision: u64,
    pub(crate) time_us: i64,
    pub(crate) what: Happened,
    pub(crate) status: Status,
    pub(crate) owner: String,
    pub(crate) epoch: u64,
}

#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "plain before small")]
pub(crate) enum Happened {
    Created,
    Started,
    Updated,
    Ended(String),
    Handoff(Handoff),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Handoff {
    pub(crate) id: u64,
    pub(crate) task: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) reason: String,
    pub(crate) status: &'static str,
    /// The rules that found something.
    pub(crate) errors: Vec<&'static str>,
    pub(crate) moving: Moving,
    pub(crate) from_revision: u64,
    pub(crate) context_bytes: usize,
    pub(crate) created_us: i64,
    pub(crate) judged_us: i64,
    pub(crate) closed_us: Option<i64>,
    pub(crate) epoch: u64,
    pub(crate) revision: u64,
    pub(crate) why: Why,
}

/// Why a hand-off failed or was withdrawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Why {
    Nothing,
    Withdrawn(String),
    Rules,
    KeysMissing(Vec<String>),
    KeysInConflict(Vec<String>),
}

#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(crate) state: Rc<PlainMap>,
    pub(crate) revision: u64,
    pub(crate) updated_us: i64,
    pub(crate) transferred_from: Option<String>,
    pub(crate) history: Vec<Rc<Change>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) revision: u64,
    pub(crate) time_us: i64,
    pub(crate) how: How,
    pub(crate) after: Rc<PlainMap>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum How {
    Updated(Mode, PlainMap),
    Transferred { from: String, handoff: Option<u64> },
}

#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    pub(crate) request: String,
    pub(crate) what: What,
    pub(crate) time_us: i64,
    pub(crate) reply: Reply,
}

impl World {
    pub(crate) fn new(requests_max: usize, requests_age_us: i64, mistake: Option<Mistake>) -> Self {
        Self {
            revision: 0,
            tasks: BTreeMap::new(),
            agents: BTreeMap::new(),
            handoffs: BTreeMap::new(),
            rules_off: BTreeSet::new(),
            requests: Vec::new(),
            requests_max,
            requests_age_us,
            mistake,
        }
    }

    /// All tasks, to be changed.
    pub(crate) fn records_mut(&mut self) -> impl Iterator<Item = &mut TaskRecord> {
        self.tasks.values_mut().map(Rc::make_mut)
    }

    /// A task that exists, to be changed.
    pub(crate) fn record_mut(&mut self, id: &str) -> &mut TaskRecord {
        Rc::make_mut(self.tasks.get_mut(id).expect("only tasks that exist are changed"))
    }

    pub(crate) fn makes(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// What comes of `op`, and whether that had come of it before.
    pub(crate) fn perform(&mut self, op: &Op, now_us: i64) -> (Reply, bool) {
        if let Some(remembered) = op.request.as_ref().and_then(|request| self.remembered(request, now_us)) {
            if remembered.what == op.what || self.makes(Mistake::OtherBodyAccepted) {
                return (remembered.reply.clone(), true);
            }
            return (Reply::Refused(Refusal::RequestIdReused { request: remembered.request.clone() }), false);
        }
        let reply = self.perform_new(op, now_us).unwrap_or_else(Reply::Refused);
        if let (Some(request), false) = (&op.request, matches!(reply, Reply::Refused(_))) {
            let (request, what, reply) = (request.clone(), op.what.clone(), reply.clone());
            self.requests.retain(|present| present.request != request);
            self.requests.push(Remembered { request, what, time_us: now_us, reply });
        }
        (reply, false)
    }

    /// What was performed is on disk, but for so many of the newest requests; of those that are, too many are forgotten then.
    pub(crate) fn commit(&mut self, pending: usize) {
        let over = self.requests.len().saturating_sub(self.requests_max + pending);
        if !self.makes(Mistake::RequestsNeverTooMany) {
            self.requests.drain(..over);
        }
    }

    fn remembered(&self, request: &str, now_us: i64) -> Option<&Remembered> {
        if self.makes(Mistake::RepeatAppliedAgain) {
            return None;
        }
        let remembered = self.requests.iter().find(|remembered| remembered.request == request)?;
        let young = now_us - remembered.time_us < self.requests_age_us;
        (young || self.makes(Mistake::RequestsRememberedForEver)).then_some(remembered)
    }

    fn perform_new(&mut self, op: &Op, now_us: i64) -> Result<Reply, Refusal> {
        let skew_believed = self.makes(Mistake::ClockSkewBelieved);
        let received_us = if skew_believed { op.received_us } else { op.received_us.min(now_us) };
        match &op.what {
            What::Create { task, description, owner, metadata } => {
                self.create(task, description, owner, metadata, now_us)
            }
            What::Update(update) => self.update(update, now_us),
            What::End { task, who, how, outcome } => self.end(task, who, *how, outcome, now_us),
            What::UpdateState { agent, mode, update, expected } => {
                self.update_state(agent, *mode, update, *expected, now_us)
            }
            What::Transfer { from, to, moving } => self.transfer_state(from, to, moving, now_us),
            What::HandOff(ask) => self.hand_off(ask, received_us, now_us),
            What::Initiate(ask) => self.initiate(ask, received_us, now_us),
            What::Execute(close) => self.execute(close, now_us),
            What::Withdraw(close) => self.withdraw(close, now_us),
            What::Switch { rule, on } => self.switch(rule, *on),
        }
    }

    pub(crate) fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }
}
