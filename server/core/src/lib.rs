//! The pure state machine of Baton: what commands do to tasks, states and hand-offs.
//!
//! [`execute`] decides a command on a [`Draft`] and applies what comes of it; [`replay`] applies what the log says. Nothing here reads
//! a clock, draws a random number, does I/O or iterates an unordered map: the same log gives the same state, byte for byte.

mod agent;
mod agents;
mod answer;
mod apply;
mod archived;
mod base;
mod by_key;
mod changes;
mod checkpoint;
mod checkpoint_agents;
mod checkpoint_parts;
mod checkpoint_requests;
mod checkpoint_segments;
mod checkpoint_tables;
mod codec;
mod command;
mod context;
mod decide;
mod digest;
mod draft;
mod event;
mod handoff;
mod history;
mod judge;
mod knowledge;
pub mod limits;
mod new_handoffs;
mod prepared_part;
mod recent_pairs;
mod record;
mod rejection;
mod remembered;
mod request_chunk;
mod request_index;
mod requests;
mod revision;
mod rule;
mod state;
mod step;
mod store;
mod stored_requests;
mod subject;
pub mod summary;
mod task;
mod text;
mod text_hash;
mod transfer;
mod value;
mod verdict;

pub use agent::{AgentState, StateChange, StateChangeKind};
pub use answer::{Answer, StateWritten};
pub use apply::Misfit;
pub use archived::{ArchivedTask, archived_handoff, archived_task};
pub use changes::Changes;
pub use checkpoint::{CHECKPOINT_FORMAT, CheckpointError, CheckpointReader};
pub use checkpoint_segments::{InSegments, RequestSegment};
pub use command::{
    Action, Claim, CloseHandoff, Command, CreateTask, End, EndTask, Proposal, RequestMark, SwitchRule,
    TransferState, UpdateState, UpdateTask,
};
pub use context::{Context, ContextParts};
pub use decide::decide;
pub use digest::Digest;
pub use draft::Draft;
pub use event::{
    Event, HandoffEvent, RuleSwitched, StateTransferred, StateUpdated, TaskCreated, TaskEnded, TaskUpdated,
};
pub use handoff::{Handoff, HandoffStatus, Step, StepName, StepStatus};
pub use history::{History, TaskChange, TaskEntry};
pub use judge::judge;
pub use knowledge::{Knowledge, Known, Obstacle};
pub use prepared_part::PreparedPart;
pub use recent_pairs::RecentPairs;
pub use record::{BODY_FORMAT, BodyError, Entry, WrittenEntry, decode_body, decode_written, encode_body};
pub use rejection::Rejection;
pub use requests::RequestMemory;
pub use revision::{HandoffId, NotAHandoffId, Revision};
pub use rule::{BuiltInRule, RuleSet};
pub use state::{AgentRecord, State, TaskRecord};
pub use step::{Outcome, execute, replay};
pub use store::TaskHistory;
pub use stored_requests::{OtherPart, PartPlace, StoredRequest, StoredRequests};
pub use subject::Subject;
pub use task::{LastChange, Progress, Task, TaskAfter, TaskStatus};
pub use text::{AgentId, RequestId, RuleName, TaskId, Text};
pub use transfer::{ConflictPolicy, Transfer, TransferSpec, UpdateMode};
pub use value::{Object, Value};
pub use verdict::{Verdict, Violation};
