//! Requests that propose a hand-off, with texts that stay where they came: in the bytes of a message, or in the library's types.
//!
//! So there is one set of checks, however a request was decoded. Checks nothing itself.

use baton_core::ContextParts;
use baton_proto::v1;
use prost::Message as _;

/// Most items of a batch.
pub(in crate::service) const BATCH_ITEMS_MAX: usize = 1_000;

/// A `BatchHandOffRequest`.
#[derive(Debug, Default, PartialEq)]
pub(in crate::service) struct BatchHandOff<'a> {
    pub(in crate::service) namespace: &'a str,
    /// How many items it has. Where they are more than may be, they need not be there.
    pub(in crate::service) count: usize,
    pub(in crate::service) items: Vec<HandOff<'a>>,
}

/// A `HandOffRequest`.
#[derive(Debug, Default, PartialEq)]
pub(in crate::service) struct HandOff<'a> {
    pub(in crate::service) namespace: &'a str,
    pub(super) request_id: &'a str,
    pub(super) proposed: Proposed<'a>,
    /// The size of the message, as the library would encode it.
    pub(super) bytes: usize,
}

/// What the requests that propose a hand-off have in common.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Proposed<'a> {
    pub(super) task_id: &'a str,
    pub(super) from_agent: &'a str,
    pub(super) to_agent: &'a str,
    pub(super) reason: &'a str,
    pub(super) owner_epoch: Option<u64>,
    pub(super) transfer: Option<Transfer<'a>>,
    pub(super) context: Option<ContextParts<'a>>,
}

/// A `TransferSpec`.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Transfer<'a> {
    pub(super) scope: i32,
    pub(super) keys: Vec<&'a str>,
    pub(super) on_conflict: i32,
}

impl<'a> From<&'a v1::BatchHandOffRequest> for BatchHandOff<'a> {
    fn from(request: &'a v1::BatchHandOffRequest) -> Self {
        let count = request.items.len();
        let items = request.items.iter().take(if count > BATCH_ITEMS_MAX { 0 } else { count });
        Self { namespace: &request.namespace, count, items: items.map(HandOff::from).collect() }
    }
}

impl<'a> From<&'a v1::HandOffRequest> for HandOff<'a> {
    fn from(request: &'a v1::HandOffRequest) -> Self {
        Self {
            namespace: &request.namespace,
            request_id: &request.request_id,
            proposed: Proposed::from(request),
            bytes: request.encoded_len(),
        }
    }
}

macro_rules! proposed_by {
    ($($request:ident),*) => {$(
        impl<'a> From<&'a v1::$request> for Proposed<'a> {
            fn from(request: &'a v1::$request) -> Self {
                Self {
                    task_id: &request.task_id,
                    from_agent: &request.from_agent,
                    to_agent: &request.to_agent,
                    reason: &request.reason,
                    owner_epoch: request.owner_epoch,
                    transfer: request.transfer.as_ref().map(Transfer::from),
                    context: request.context.as_ref().map(told),
                }
            }
        }
    )*};
}

proposed_by!(HandOffRequest, InitiateHandoffRequest, ValidateHandoffRequest);

impl<'a> From<&'a v1::TransferSpec> for Transfer<'a> {
    fn from(spec: &'a v1::TransferSpec) -> Self {
        Self { scope: spec.scope, keys: texts(&spec.keys), on_conflict: spec.on_conflict }
    }
}

fn told(context: &v1::HandoffContext) -> ContextParts<'_> {
    ContextParts {
        summary: &context.summary,
        completed: texts(&context.completed),
        remaining: texts(&context.remaining),
        decisions: texts(&context.decisions),
        pitfalls: texts(&context.pitfalls),
        references: texts(&context.references),
    }
}

fn texts(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
