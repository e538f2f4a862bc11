//! Requests of `StateService` into commands, and transfer specifications wherever they stand.

use std::collections::BTreeSet;

use baton_core::{
    Action, AgentId, Command, ConflictPolicy, Revision, Text, TransferSpec, TransferState, UpdateMode,
    UpdateState,
    limits::{STATE_KEYS_MAX, STATE_UPDATE_BYTES_MAX},
};
use baton_proto::v1;
use prost::Message as _;

use super::{Asked, Check, proposed::Transfer, value::object};
use crate::status::Refusal;

pub(in crate::service) fn update_agent_state(
    request: v1::UpdateAgentStateRequest,
    now_us: i64,
) -> Result<Asked, Refusal> {
    let mut check = Check::new();
    let bytes = request.encoded_len();
    let namespace = check.namespace(&request.namespace);
    check.request_id(&request.request_id);
    check.id("agent_id", &request.agent_id);
    if request.state.is_none() {
        check.wrong("state", "is missing; give an object, which may be empty");
    }
    let mode = check.known("mode", request.mode, v1::UpdateMode::try_from(request.mode));
    let update = UpdateState {
        agent_id: AgentId::from(request.agent_id),
        mode: match mode.unwrap_or_default() {
            v1::UpdateMode::Unspecified | v1::UpdateMode::Merge => UpdateMode::Merge,
            v1::UpdateMode::Replace => UpdateMode::Replace,
            v1::UpdateMode::Patch => UpdateMode::Patch,
        },
        update: object(&mut check, "state", request.state, STATE_UPDATE_BYTES_MAX),
        expected_revision: request.expected_revision.map(Revision),
    };
    let command = Command::new(&request.request_id, now_us, Action::UpdateState(update));
    check.finish(Asked { namespace, command, bytes })
}

pub(in crate::service) fn transfer_state(
    request: v1::TransferStateRequest,
    now_us: i64,
) -> Result<Asked, Refusal> {
    let mut check = Check::new();
    let bytes = request.encoded_len();
    let namespace = check.namespace(&request.namespace);
    check.request_id(&request.request_id);
    check.id("from_agent", &request.from_agent);
    check.id("to_agent", &request.to_agent);
    if request.from_agent == request.to_agent && !request.from_agent.is_empty() {
        check.wrong("to_agent", "is the sender; name another agent");
    }
    let spec = transfer_spec(&mut check, request.transfer.as_ref().map(Transfer::from));
    if !spec.enabled {
        check.wrong("transfer.scope", "is NONE, which transfers nothing; give ALL or SOME");
    }
    let transfer =
        TransferState { from: AgentId::from(request.from_agent), to: AgentId::from(request.to_agent), spec };
    let command = Command::new(&request.request_id, now_us, Action::TransferState(transfer));
    check.finish(Asked { namespace, command, bytes })
}

/// What is to move; absent means all of it, overwriting.
pub(super) fn transfer_spec(check: &mut Check, given: Option<Transfer<'_>>) -> TransferSpec {
    let Some(given) = given else { return TransferSpec::default() };
    let scope = check.known("transfer.scope", given.scope, v1::TransferScope::try_from(given.scope));
    let policy = check.known(
        "transfer.on_conflict",
        given.on_conflict,
        v1::ConflictPolicy::try_from(given.on_conflict),
    );
    let some = scope == Some(v1::TransferScope::Some);
    if !some && scope.is_some() && !given.keys.is_empty() {
        check.wrong("transfer.keys", "are given without scope SOME; they would not be looked at");
    }
    TransferSpec {
        enabled: scope != Some(v1::TransferScope::None),
        keys: some.then(|| transfer_keys(check, given.keys)),
        on_conflict: match policy.unwrap_or_default() {
            v1::ConflictPolicy::Unspecified | v1::ConflictPolicy::Overwrite => ConflictPolicy::Overwrite,
            v1::ConflictPolicy::Keep => ConflictPolicy::Keep,
            v1::ConflictPolicy::Fail => ConflictPolicy::Fail,
        },
    }
}

/// The keys in order, each once.
fn transfer_keys(check: &mut Check, keys: Vec<&str>) -> Vec<Text> {
    if keys.is_empty() || keys.len() > STATE_KEYS_MAX {
        check.wrong(
            "transfer.keys",
            format!("has {} keys; give 1 to {STATE_KEYS_MAX} with scope SOME", keys.len()),
        );
        return Vec::new();
    }
    for (index, key) in keys.iter().enumerate() {
        check.id(&format!("transfer.keys[{index}]"), key);
    }
    let keys: BTreeSet<&str> = keys.into_iter().collect();
    keys.into_iter().map(Text::from).collect()
}
