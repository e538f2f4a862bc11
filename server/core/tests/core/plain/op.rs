//! What may be asked of the plain world.

use std::rc::Rc;

use super::value::PlainMap;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Op {
    pub(crate) request: Option<String>,
    pub(crate) received_us: i64,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Create { task: String, description: String, owner: String, metadata: Rc<PlainMap> },
    Update(Update),
    End { task: String, who: Who, how: Ending, outcome: String },
    UpdateState { agent: String, mode: Mode, update: PlainMap, expected: Option<u64> },
    Transfer { from: String, to: String, moving: Moving },
    HandOff(Ask),
    Initiate(Ask),
    Execute(Close),
    Withdraw(Close),
    Switch { rule: &'static str, on: bool },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Update {
    pub(crate) task: String,
    pub(crate) who: Who,
    pub(crate) expected: Option<u64>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Option<Rc<PlainMap>>,
    pub(crate) progress: Option<(u32, String)>,
    pub(crate) start: bool,
}

/// What a caller says of itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Who {
    pub(crate) agent: Option<String>,
    pub(crate) epoch: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ending {
    Complete,
    Fail,
    Cancel,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    Merge,
    Replace,
    Patch,
}

/// Which of the sender's keys move.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moving {
    pub(crate) keys: Keys,
    pub(crate) on_conflict: OnConflict,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Keys {
    All,
    Some(Vec<String>),
    None,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OnConflict {
    Overwrite,
    Keep,
    Fail,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ask {
    pub(crate) task: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) reason: String,
    pub(crate) epoch: Option<u64>,
    pub(crate) moving: Moving,
    pub(crate) context_bytes: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Close {
    pub(crate) handoff: u64,
    pub(crate) epoch: Option<u64>,
    pub(crate) reason: String,
}
