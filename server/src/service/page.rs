//! Page tokens: where the next page begins, and of which listing.
//!
//! A token is bound to the log, the namespace and the filters of its listing, so that one from elsewhere is refused instead of answered wrongly.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use baton_core::Digest;
use baton_proto::v1::ErrorReason;
use tonic::Code;

use crate::status::Refusal;

/// Bytes of a token that say which listing it is of.
const LISTING_BYTES: usize = 16;

/// One listing: tokens made for it are good for it alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing([u8; LISTING_BYTES]);

impl Listing {
    /// The listing that these words make up: log, rpc, namespace, filters.
    pub(super) fn of(words: &[&str]) -> Self {
        let mut bytes = Vec::new();
        for word in words {
            bytes.extend_from_slice(&(word.len() as u64).to_le_bytes());
            bytes.extend_from_slice(word.as_bytes());
        }
        Self(Digest::of(&bytes).to_bytes())
    }

    /// The token for the page after the item `last`.
    pub(super) fn token(&self, last: &str) -> String {
        let mut bytes = self.0.to_vec();
        bytes.extend_from_slice(last.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The item that `token` continues after; `None`: the first page is wanted.
    ///
    /// # Errors
    /// INVALID_ARGUMENT if the token is not of this listing.
    pub(super) fn last(&self, token: &str) -> Result<Option<String>, Refusal> {
        if token.is_empty() {
            return Ok(None);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok();
        let last = bytes.as_deref().and_then(|bytes| bytes.strip_prefix(&self.0));
        match last.and_then(|last| String::from_utf8(last.to_vec()).ok()) {
            Some(last) => Ok(Some(last)),
            None => Err(foreign_token()),
        }
    }

    /// As [`Listing::last`], where items are numbered.
    pub(super) fn last_number(&self, token: &str) -> Result<Option<u64>, Refusal> {
        match self.last(token)? {
            Some(last) => last.parse().map(Some).map_err(|_| foreign_token()),
            None => Ok(None),
        }
    }
}

fn foreign_token() -> Refusal {
    let description = "is not of this listing; begin again without one, and keep the other fields as they were";
    Refusal::new(Code::InvalidArgument, ErrorReason::InvalidField, format!("page_token: {description}"))
        .field_violation("page_token", description)
}
