//! Requests of `HandoffService` into commands and questions; watching stands in `watch`.

use std::sync::Arc;

use baton_core::{
    Action, AgentId, CloseHandoff, Command, Context, ContextParts, HandoffId, HandoffStatus, Proposal,
    TaskId, Text,
    limits::{CONTEXT_BYTES_MAX, CONTEXT_ITEMS_MAX, REASON_BYTES_MAX},
};
use baton_proto::v1;
use prost::Message as _;

use super::{
    Asked, Check,
    proposed::{HandOff, Proposed},
    state::transfer_spec,
};
use crate::status::Refusal;

/// Which hand-offs are asked for.
#[derive(Debug)]
pub(in crate::service) struct HandoffQuery {
    pub(in crate::service) namespace: Arc<str>,
    pub(in crate::service) task: Option<String>,
    pub(in crate::service) agent: Option<String>,
    pub(in crate::service) status: Option<HandoffStatus>,
    /// A status that no hand-off has yet matches none.
    pub(in crate::service) matches_none: bool,
    pub(in crate::service) page_size: usize,
}

/// The command that a `HandOffRequest` is, on its own or as an item of a batch.
pub(in crate::service) fn hand_off(
    request: HandOff<'_>,
    mut check: Check,
    now_us: i64,
) -> Result<Asked, Refusal> {
    let namespace = check.namespace(request.namespace);
    check.request_id(request.request_id);
    let action = Action::HandOff(proposal(&mut check, request.proposed));
    let command = Command::new(request.request_id, now_us, action);
    check.finish(Asked { namespace, command, bytes: request.bytes })
}

pub(in crate::service) fn initiate_handoff(
    request: &v1::InitiateHandoffRequest,
    now_us: i64,
) -> Result<Asked, Refusal> {
    let mut check = Check::new();
    let namespace = check.namespace(&request.namespace);
    check.request_id(&request.request_id);
    let action = Action::InitiateHandoff(proposal(&mut check, request.into()));
    let command = Command::new(&request.request_id, now_us, action);
    check.finish(Asked { namespace, command, bytes: request.encoded_len() })
}

pub(in crate::service) fn execute_handoff(
    request: &v1::ExecuteHandoffRequest,
    now_us: i64,
) -> Result<Asked, Refusal> {
    let mut check = Check::new();
    let namespace = check.namespace(&request.namespace);
    check.request_id(&request.request_id);
    let close = CloseHandoff {
        handoff_id: handoff_id(&mut check, &request.handoff_id),
        owner_epoch: check.owner_epoch(request.owner_epoch),
        reason: Text::default(),
    };
    let command = Command::new(&request.request_id, now_us, Action::ExecuteHandoff(close));
    check.finish(Asked { namespace, command, bytes: request.encoded_len() })
}

pub(in crate::service) fn withdraw_handoff(
    request: v1::WithdrawHandoffRequest,
    now_us: i64,
) -> Result<Asked, Refusal> {
    let mut check = Check::new();
    let bytes = request.encoded_len();
    let namespace = check.namespace(&request.namespace);
    check.request_id(&request.request_id);
    let close = CloseHandoff {
        handoff_id: handoff_id(&mut check, &request.handoff_id),
        owner_epoch: check.owner_epoch(request.owner_epoch),
        reason: check.text("reason", &request.reason, REASON_BYTES_MAX),
    };
    let command = Command::new(&request.request_id, now_us, Action::WithdrawHandoff(close));
    check.finish(Asked { namespace, command, bytes })
}

/// The id of a hand-off.
pub(in crate::service) fn handoff_id(check: &mut Check, given: &str) -> HandoffId {
    given.parse().unwrap_or_else(|error| {
        check.wrong("handoff_id", format!("{given:?} is not one: {error}"));
        HandoffId(baton_core::Revision(0))
    })
}

pub(in crate::service) fn list_handoffs(request: &v1::ListHandoffsRequest) -> Result<HandoffQuery, Refusal> {
    let mut check = Check::new();
    let namespace = check.namespace(&request.namespace);
    check.optional_id("task_id", &request.task_id);
    check.optional_id("agent_id", &request.agent_id);
    let given = check.known("status", request.status, v1::HandoffStatus::try_from(request.status));
    let status = given.and_then(handoff_status);
    let wanted = |id: &String| (!id.is_empty()).then(|| id.clone());
    let query = HandoffQuery {
        namespace,
        task: wanted(&request.task_id),
        agent: wanted(&request.agent_id),
        status,
        matches_none: status.is_none() && given != Some(v1::HandoffStatus::Unspecified),
        page_size: check.page_size(request.page_size),
    };
    check.finish(query)
}

fn handoff_status(status: v1::HandoffStatus) -> Option<HandoffStatus> {
    match status {
        v1::HandoffStatus::Initiated => Some(HandoffStatus::Initiated),
        v1::HandoffStatus::Completed => Some(HandoffStatus::Completed),
        v1::HandoffStatus::Failed => Some(HandoffStatus::Failed),
        v1::HandoffStatus::Rejected => Some(HandoffStatus::Rejected),
        v1::HandoffStatus::Withdrawn => Some(HandoffStatus::Withdrawn),
        v1::HandoffStatus::Unspecified | v1::HandoffStatus::Declined | v1::HandoffStatus::Expired => None,
    }
}

/// The hand-off that is proposed. Whether it is a good idea is for the rules to say, an empty reason included.
pub(super) fn proposal(check: &mut Check, proposed: Proposed<'_>) -> Proposal {
    check.id("task_id", proposed.task_id);
    check.id("from_agent", proposed.from_agent);
    check.id("to_agent", proposed.to_agent);
    Proposal {
        task_id: TaskId::from(proposed.task_id),
        from: AgentId::from(proposed.from_agent),
        to: AgentId::from(proposed.to_agent),
        reason: check.text("reason", proposed.reason, REASON_BYTES_MAX),
        owner_epoch: check.owner_epoch(proposed.owner_epoch),
        transfer: transfer_spec(check, proposed.transfer),
        context: proposed.context.as_ref().and_then(|given| context(check, given)),
    }
}

/// The context; one that says nothing is none.
fn context(check: &mut Check, given: &ContextParts<'_>) -> Option<Context> {
    if *given == ContextParts::default() {
        return None;
    }
    check.words("context.summary", given.summary, CONTEXT_BYTES_MAX);
    context_list(check, "context.completed", &given.completed);
    context_list(check, "context.remaining", &given.remaining);
    context_list(check, "context.decisions", &given.decisions);
    context_list(check, "context.pitfalls", &given.pitfalls);
    context_list(check, "context.references", &given.references);
    let bytes = given.size();
    if bytes > CONTEXT_BYTES_MAX {
        check.wrong("context", format!("has {bytes} bytes in all; the limit is {CONTEXT_BYTES_MAX}"));
    }
    Some(Context::from(given))
}

fn context_list(check: &mut Check, field: &str, items: &[&str]) {
    if items.len() > CONTEXT_ITEMS_MAX {
        check.wrong(field, format!("has {} items; the limit is {CONTEXT_ITEMS_MAX}", items.len()));
        return;
    }
    items.iter().for_each(|item| check.words(field, item, CONTEXT_BYTES_MAX));
}
