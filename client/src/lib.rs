//! The Rust client of Baton: hands tasks from one agent to another, with their state, and watches it happen.
//!
//! ```no_run
//! use baton_client::{Client, Context};
//! use serde_json::json;
//!
//! # async fn example() -> Result<(), baton_client::Error> {
//! let client = Client::connect("http://127.0.0.1:7420").await?;
//!
//! // An agent takes a task on and notes what it learns.
//! let task = client.create_task("refund-17").agent("triage").description("refund order 1142").owned().await?;
//! task.start().await?;
//! client.update_state("triage", json!({"order": 1142, "amount": 40})).await?;
//!
//! // It hands the task over: owner, state and history change together or not at all.
//! let handoff = task
//!     .hand_off("billing")
//!     .reason("needs a refund")
//!     .context(Context::new().summary("arrived broken, photo checked").remaining(["refund 40 EUR"]))
//!     .await?;
//!
//! // The next agent goes on with the epoch that the hand-off gave it.
//! let task = client.receive(&handoff)?;
//! task.start().await?;
//! task.complete("refunded").await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Calls
//! Every method of [`Client`] that asks the server returns a builder. Nothing is sent before it is awaited, or its `send` is called. What is wrong
//! with a request is found then, all at once, as [`Error::Invalid`].
//!
//! # Retries
//! Every mutation carries a random request id, made up once for all attempts of a call, so a repetition is never applied twice. The client repeats
//! a call by its [`RetryPolicy`] while no server can take it, and goes on to the next endpoint if there are several. If it has to give up, the error
//! holds the request id ([`Error::request_id`]): the same call with the same id, even from another process, gives the first outcome.
//!
//! # Ownership
//! A task's owner epoch grows by one each time the task changes hands. An [`OwnedTask`] sends agent and epoch with every write, so that an agent which
//! does not know yet that its task is gone is refused with [`Error::StaleOwner`] instead of doing harm.
//!
//! # Watching
//! A [`Watch`] gives every matching event once and in order, through lost connections and restarts of the server, or a typed error that
//! says what is gone. Its [`Cursor`] can be stored to go on later.
//!
//! # Times and numbers
//! Points in time are [`chrono::DateTime<Utc>`](chrono::DateTime), lengths of time [`std::time::Duration`]. JSON numbers are 64-bit floats on the wire; integers up to
//! 2^53 come back as the integers they were, greater ones are refused before they are sent.

mod call;
mod client;
mod endpoints;
mod error;
mod from_wire;
mod handoff;
mod page;
mod request_id;
mod retry;
mod rule;
mod server;
mod services;
mod setters;
mod state;
mod summary;
mod task;
mod to_wire;
mod value;
mod watch;
mod wire_enum;

pub use tonic::{Code, Status, transport::Channel};

pub use self::{
    client::{ADDRESS_VARIABLE, Client, ClientBuilder, DEFAULT_ADDRESS},
    error::{Error, FieldViolation, ResourceKind},
    handoff::{
        BatchHandOff, ConflictPolicy, Context, ExecuteHandoff, GetHandoff, HandOff, Handoff, HandoffStatus,
        HandoffStep, InitiateHandoff, ListHandoffs, NewHandoff, StateTransfer, StepStatus, Transfer,
        TransferScope, ValidateHandoff, WithdrawHandoff,
    },
    page::{Items, Page},
    request_id::new_request_id,
    retry::RetryPolicy,
    rule::{DisableRule, EnableRule, ListRules, Rule, Verdict, Violation},
    server::{GetServerInfo, ServerInfo, Verification, VerifyLog, VerifyProgress},
    setters::CallFuture,
    state::{
        AgentState, GetState, StateChangeType, StateHistory, StateHistoryEntry, StateWritten, TransferState,
        TransferredState, UpdateMode, UpdateState,
    },
    summary::{Figures, GetSummary, Summary, SummaryGroup, SummaryKey, SummaryReport},
    task::{
        BatchCreateTasks, CancelTask, CompleteTask, CreateTask, ExecuteOwned, FailTask, FinishOwned, GetTask,
        HandOffOwned, ListTasks, NewTask, OwnedTask, OwnerError, Task, TaskHistory, TaskHistoryEntry,
        TaskHistoryType, TaskProgress, TaskStatus, UpdateTask,
    },
    watch::{Cursor, Event, EventType, Watch, WatchEvents},
    wire_enum::UnknownName,
};
