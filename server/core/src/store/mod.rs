//! How tasks and hand-offs are kept in memory: as they are while they change, and packed into few bytes once they rest.
//!
//! What is packed and what is not cannot be seen from outside: only time and memory tell.

mod handoffs;
mod history;
mod kept;
mod key;
mod packing;
mod page;
mod pages;
mod record;
mod sorted;
mod tasks;

pub(crate) use handoffs::{Handoffs, handoff_key};
pub(crate) use packing::{unpack_handoff, unpack_task};
pub(crate) use pages::Run;
pub use record::TaskHistory;
pub(crate) use record::{StoredChange, StoredEntry, StoredRecord};
pub(crate) use sorted::Sorted;
pub(crate) use tasks::Tasks;
