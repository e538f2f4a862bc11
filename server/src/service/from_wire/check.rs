//! Collects everything that is wrong with one request, field by field.
//!
//! Knows what a well-formed id, text or enum is. Knows nothing of what the fields are for.

use std::{sync::Arc, time::Duration};

use baton_core::{Text, limits::ID_BYTES_MAX};
use baton_proto::v1::ErrorReason;
use tonic::Code;

use crate::status::Refusal;

/// Most violations that are collected; a request that is wrong in more places than that is wrong enough.
const VIOLATIONS_MAX: usize = 100;

/// The name of the namespace that an empty one means.
const DEFAULT_NAMESPACE: &str = "default";

/// Page size if none is given.
const PAGE_SIZE_DEFAULT: usize = 100;
/// Largest page.
const PAGE_SIZE_MAX: u32 = 1_000;

/// Collects violations. Checks give back something usable in any case; only [`Check::finish`] says whether it may be used.
#[derive(Debug, Default)]
pub(in crate::service) struct Check {
    /// The item of a batch that is checked.
    item: Option<Item>,
    violations: Vec<(String, String)>,
}

/// One item of a batch.
#[derive(Debug)]
struct Item {
    index: usize,
    /// That of the batch, which was checked with it.
    namespace: Arc<str>,
}

impl Check {
    /// Nothing is wrong yet.
    pub(in crate::service) fn new() -> Self {
        Self::default()
    }

    /// As [`Check::new`], for one item of a batch: its fields are named `items[index].…`, and it is in the batch's `namespace`.
    pub(in crate::service) fn item(index: usize, namespace: &Arc<str>) -> Self {
        Self { item: Some(Item { index, namespace: Arc::clone(namespace) }), violations: Vec::new() }
    }

    /// Notes that `field` is wrong.
    pub(in crate::service) fn wrong(&mut self, field: &str, description: impl Into<String>) {
        if self.violations.len() < VIOLATIONS_MAX {
            let field = match &self.item {
                Some(item) => format!("items[{}].{field}", item.index),
                None => field.to_owned(),
            };
            self.violations.push((field, description.into()));
        }
    }

    /// Gives `value` if nothing was wrong.
    ///
    /// # Errors
    /// INVALID_ARGUMENT with all violations.
    pub(in crate::service) fn finish<T>(self, value: T) -> Result<T, Refusal> {
        let Some((field, description)) = self.violations.first() else { return Ok(value) };
        let message = match self.violations.len() {
            1 => format!("{field}: {description}"),
            count => format!("{count} fields are wrong; the first: {field}: {description}"),
        };
        let refusal = Refusal::new(Code::InvalidArgument, ErrorReason::InvalidField, message);
        Err(self
            .violations
            .into_iter()
            .fold(refusal, |refusal, (field, description)| refusal.field_violation(field, description)))
    }

    /// The namespace that is meant; in a batch its own, whatever the item says.
    pub(in crate::service) fn namespace(&mut self, name: &str) -> Arc<str> {
        if let Some(item) = &self.item {
            return Arc::clone(&item.namespace);
        }
        if name.is_empty() {
            return DEFAULT_NAMESPACE.into();
        }
        self.id("namespace", name);
        name.into()
    }

    /// A request id; empty means none.
    pub(in crate::service) fn request_id(&mut self, id: &str) {
        if !id.is_empty() {
            self.id("request_id", id);
        }
    }

    /// An id: 1 to 256 bytes, no control characters, no white space around it.
    pub(in crate::service) fn id(&mut self, field: &str, id: &str) {
        if (1..=ID_BYTES_MAX).contains(&id.len()) && all_bytes(id, |byte| matches!(byte, b'!'..=b'~')) {
            return;
        }
        if id.is_empty() {
            self.wrong(field, format!("is empty; give 1 to {ID_BYTES_MAX} bytes"));
        } else if id.len() > ID_BYTES_MAX {
            self.wrong(field, format!("has {} bytes; the limit is {ID_BYTES_MAX}", id.len()));
        } else if let Some(position) = id.find(char::is_control) {
            self.wrong(field, format!("has a control character at byte {position}"));
        } else if id.trim().len() != id.len() {
            self.wrong(field, "begins or ends with white space");
        }
    }

    /// An id that may be left out.
    pub(in crate::service) fn optional_id(&mut self, field: &str, id: &str) {
        if !id.is_empty() {
            self.id(field, id);
        }
    }

    /// A text of at most `bytes_max` bytes, without control characters but for line breaks and tabs.
    pub(in crate::service) fn text(&mut self, field: &str, text: &str, bytes_max: usize) -> Text {
        self.words(field, text, bytes_max);
        Text::from(text)
    }

    /// As [`Check::text`], for a text that is not kept on its own.
    pub(in crate::service) fn words(&mut self, field: &str, text: &str, bytes_max: usize) {
        if text.len() > bytes_max {
            self.wrong(field, format!("has {} bytes; the limit is {bytes_max}", text.len()));
        }
        if !all_bytes(text, |byte| !may_be_control(byte)) {
            let forbidden = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
            if let Some(position) = text.find(forbidden) {
                self.wrong(field, format!("has a control character at byte {position}"));
            }
        }
    }

    /// An owner epoch, which starts at 1.
    pub(in crate::service) fn owner_epoch(&mut self, epoch: Option<u64>) -> Option<u64> {
        if epoch == Some(0) {
            self.wrong("owner_epoch", "is 0; owner epochs start at 1: leave it out if you hold none");
        }
        epoch
    }

    /// A known value of an enum; what `decode` refuses is noted.
    pub(in crate::service) fn known<T, E>(
        &mut self,
        field: &str,
        value: i32,
        decoded: Result<T, E>,
    ) -> Option<T> {
        if decoded.is_err() {
            self.wrong(field, format!("{value} is not a known value"));
        }
        decoded.ok()
    }

    /// How many items of a page are wanted.
    pub(in crate::service) fn page_size(&mut self, size: u32) -> usize {
        match size {
            0 => PAGE_SIZE_DEFAULT,
            1..=PAGE_SIZE_MAX => size as usize,
            _ => {
                self.wrong("page_size", format!("is {size}; the limit is {PAGE_SIZE_MAX}"));
                PAGE_SIZE_DEFAULT
            }
        }
    }

    /// A duration between two bounds.
    pub(in crate::service) fn duration(
        &mut self,
        field: &str,
        given: &prost_types::Duration,
        bounds: std::ops::RangeInclusive<Duration>,
    ) -> Duration {
        match unsigned(given) {
            Some(duration) if bounds.contains(&duration) => duration,
            _ => {
                let (least, most) = (bounds.start(), bounds.end());
                self.wrong(field, format!("is out of range; give {least:?} to {most:?}"));
                *least
            }
        }
    }
}

/// Whether all bytes of `text` are as wanted. Looks at all of them, which lets the compiler look at many at once: nearly always they are.
fn all_bytes(text: &str, wanted: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(true, |all, byte| all & wanted(byte))
}

/// Whether a byte of UTF-8 can belong to a control character: C0, DEL, or the first byte of C1 (U+0080 to U+009F), which others have too.
fn may_be_control(byte: u8) -> bool {
    (byte < b' ') | (byte == 0x7f) | (byte == 0xc2)
}

/// A well-formed length of time; `None` if it is negative or its parts are out of their ranges.
// The library's own conversion overflows at the least number of seconds.
fn unsigned(given: &prost_types::Duration) -> Option<Duration> {
    let seconds = u64::try_from(given.seconds).ok()?;
    let nanos = u32::try_from(given.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos))
}
