//! What peers keep for a hand-off: the state as bytes, and the whole request as the entry of the history.

use baton_proto::v1::HandOffRequest;
use prost::Message as _;
use prost_types::Struct;

/// An agent's state as peers keep it.
pub(super) fn state(state: &Struct) -> Vec<u8> {
    state.encode_to_vec()
}

/// The entry of the history as peers keep it: all that was asked for, context included.
pub(super) fn entry(request: &HandOffRequest) -> Vec<u8> {
    request.encode_to_vec()
}

/// The epoch that the sender holds.
pub(super) fn epoch(request: &HandOffRequest) -> u64 {
    request.owner_epoch.unwrap_or_default()
}
