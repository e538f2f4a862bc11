//! Pages of listings, and their tokens: where the next page begins, and of which listing.
//!
//! A token is bound to the log, the namespace and the filters of its listing, so that one from elsewhere is refused instead of answered wrongly.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use baton_core::Digest;
use baton_proto::v1::ErrorReason;
use tonic::Code;

use crate::status::Refusal;

/// Most items that one call looks at before it gives what it has: a filter that matches little must not hold up the engine.
const SCAN_MAX: usize = 10_000;
/// A page ends before its items pass this many bytes, though it holds one in any case: well within the usual 4 MiB of a message.
const PAGE_BYTES_MAX: usize = 2 * 1024 * 1024;

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
    let description =
        "is not of this listing; begin again without one, and keep the other fields as they were";
    Refusal::new(Code::InvalidArgument, ErrorReason::InvalidField, format!("page_token: {description}"))
        .field_violation("page_token", description)
}

/// Some items of a listing.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// The last item that was looked at, if there are more after it.
    pub(super) more_after: Option<String>,
}

impl<T> Page<T> {
    /// Takes items until the page is full, would pass [`PAGE_BYTES_MAX`], or [`SCAN_MAX`] were looked at. `look` gives the item if it is wanted,
    /// its size and its place in the listing.
    pub(super) fn of<I>(
        items: impl Iterator<Item = I>,
        page_size: usize,
        mut look: impl FnMut(I) -> (Option<T>, usize, String),
    ) -> Self {
        let mut page = Self { items: Vec::new(), more_after: None };
        let mut last = None;
        let mut bytes = 0;
        for (seen, item) in items.enumerate() {
            if page.items.len() >= page_size || seen >= SCAN_MAX {
                page.more_after = last;
                break;
            }
            let (wanted, size, place) = look(item);
            if let Some(wanted) = wanted {
                bytes += size;
                if bytes > PAGE_BYTES_MAX && !page.items.is_empty() {
                    page.more_after = last;
                    break;
                }
                page.items.push(wanted);
            }
            last = Some(place);
        }
        page
    }
}
