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

/// Most items that are read at once where some of them are archived.
const PART_MAX: usize = 1_024;

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
    /// Takes items until the page is full. `look` gives the item if it is wanted, its size and its place in the listing.
    pub(super) fn of<I>(
        items: impl Iterator<Item = I>,
        page_size: usize,
        look: impl Fn(I) -> (Option<T>, usize, String),
    ) -> Self {
        let mut filling = Filling::new(page_size);
        for item in items {
            if !filling.take(|| look(item)) {
                break;
            }
        }
        filling.page
    }
}

/// A page that is being filled: until it has so many items, would pass [`PAGE_BYTES_MAX`], or [`SCAN_MAX`] were looked at.
pub(super) struct Filling<T> {
    pub(super) page: Page<T>,
    page_size: usize,
    seen: usize,
    bytes: usize,
    last: Option<String>,
}

impl<T> Filling<T> {
    pub(super) fn new(page_size: usize) -> Self {
        let page = Page { items: Vec::new(), more_after: None };
        Self { page, page_size, seen: 0, bytes: 0, last: None }
    }

    /// Takes the next item, which `look` gives as for [`Page::of`]; `false`: the page is full, and there are more.
    pub(super) fn take(&mut self, look: impl FnOnce() -> (Option<T>, usize, String)) -> bool {
        if self.page.items.len() >= self.page_size || self.seen >= SCAN_MAX {
            self.page.more_after = self.last.take();
            return false;
        }
        self.seen += 1;
        let (wanted, size, place) = look();
        if let Some(wanted) = wanted {
            self.bytes += size;
            if self.bytes > PAGE_BYTES_MAX && !self.page.items.is_empty() {
                self.page.more_after = self.last.take();
                return false;
            }
            self.page.items.push(wanted);
        }
        self.last = Some(place);
        true
    }

    /// How many more items are worth having at hand: as many as would fill the page, and more once it shows that few of them are wanted.
    pub(super) fn room(&self) -> usize {
        (self.page_size - self.page.items.len() + 1).max(self.seen).min(PART_MAX)
    }
}
