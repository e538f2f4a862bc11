//! Writes a BatchHandOffRequest as bytes, item by item: what its items have in common is encoded once.
//!
//! Numbers of fields are those of `proto/baton/v1/handoff_service.proto`; a test of the tour holds them to it. Knows nothing of which batch
//! comes next.

use baton_proto::v1::HandOffRequest;
use bytes::{BufMut as _, Bytes, BytesMut};
use prost::{
    Message as _,
    encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len},
};

/// `BatchHandOffRequest.items`.
const REQUEST_ITEMS: u32 = 1;
/// `BatchHandOffRequest.namespace`.
const REQUEST_NAMESPACE: u32 = 2;
/// `HandOffRequest.request_id`.
const ITEM_REQUEST_ID: u32 = 2;
/// `HandOffRequest.task_id`.
const ITEM_TASK_ID: u32 = 3;

/// Writes batches one after the other, into memory that the last one left if it is gone.
#[derive(Debug, Default)]
pub(super) struct BatchEncoder {
    batch: BytesMut,
    common: Vec<u8>,
}

impl BatchEncoder {
    /// Begins a batch of about `count` items, each of which is as `common` says, but for the ids of its request and its task; `common` has none.
    pub(super) fn begin(&mut self, common: &HandOffRequest, count: usize) {
        /// Room for the ids of an item and what is before each.
        const IDS_BYTES: usize = 100;
        debug_assert!(common.request_id.is_empty() && common.task_id.is_empty(), "{common:?}");
        self.common = common.encode_to_vec();
        self.batch.clear();
        self.batch.reserve(count * (self.common.len() + IDS_BYTES));
    }

    /// Adds an item.
    pub(super) fn item(&mut self, request_id: &str, task_id: &str) {
        let length = text_len(ITEM_REQUEST_ID, request_id) + text_len(ITEM_TASK_ID, task_id);
        encode_key(REQUEST_ITEMS, WireType::LengthDelimited, &mut self.batch);
        encode_varint((length + self.common.len()) as u64, &mut self.batch);
        put_text(ITEM_REQUEST_ID, request_id, &mut self.batch);
        put_text(ITEM_TASK_ID, task_id, &mut self.batch);
        self.batch.put_slice(&self.common);
    }

    /// Ends the batch.
    pub(super) fn end(&mut self, namespace: &str) -> Bytes {
        put_text(REQUEST_NAMESPACE, namespace, &mut self.batch);
        self.batch.split().freeze()
    }
}

fn text_len(field: u32, text: &str) -> usize {
    key_len(field) + encoded_len_varint(text.len() as u64) + text.len()
}

fn put_text(field: u32, text: &str, buffer: &mut BytesMut) {
    encode_key(field, WireType::LengthDelimited, buffer);
    encode_varint(text.len() as u64, buffer);
    buffer.put_slice(text.as_bytes());
}
