//! Builds the refusals that callers see: a gRPC status with `google.rpc` details.
//!
//! Knows how a refusal travels and how large it may be. Knows nothing of why one is made.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use baton_proto::v1::{ErrorReason, ItemError};
use http::{HeaderMap, HeaderName};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt as _};

/// `domain` of every `google.rpc.ErrorInfo` that Baton sends.
pub const ERROR_DOMAIN: &str = "baton.v1";

/// Largest refusal on the wire, in bytes of header: Java and older C clients accept 8 KiB of metadata in all, and the rest of the
/// headers needs some of that.
pub const REFUSAL_WIRE_BYTES_MAX: usize = 7_680;

/// Longest message of a refusal, in bytes; it travels twice, once percent-encoded.
pub const MESSAGE_BYTES_MAX: usize = 512;

/// Longest single text in the details of a refusal, in bytes: longer than any id.
pub const DETAIL_TEXT_BYTES_MAX: usize = 512;

/// The key in `ErrorInfo`'s metadata that says how many violations had no room.
pub const VIOLATIONS_LEFT_OUT: &str = "violations_left_out";

/// The header or trailer with a call's status code.
pub(crate) static STATUS_HEADER: HeaderName = HeaderName::from_static("grpc-status");

/// The header or trailer with a refusal's message, percent-encoded.
pub(crate) static MESSAGE_HEADER: HeaderName = HeaderName::from_static("grpc-message");

/// The header or trailer with a refusal's details, in base64.
pub(crate) static DETAILS_HEADER: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// Upper bound of what protobuf adds to one detail or violation: tags and lengths of its fields, of itself and of its parents.
const FRAMING_BYTES: usize = 24;

/// What the type names of all details, the status around them and `violations_left_out` take.
const ENVELOPE_BYTES: usize = 512;

/// Why a call was refused, with everything that the caller needs to correct itself.
///
/// Turns into a [`Status`] whose details are at most [`REFUSAL_WIRE_BYTES_MAX`] on the wire: texts that are too long are cut, and violations
/// for which there is no room are counted in `violations_left_out`.
#[derive(Clone, Debug)]
pub struct Refusal(
    // Boxed: results that carry one stay small where all goes well.
    Box<Content>,
);

#[derive(Clone, Debug)]
struct Content {
    code: Code,
    reason: ErrorReason,
    message: String,
    metadata: BTreeMap<Cow<'static, str>, String>,
    fields: Vec<FieldViolation>,
    preconditions: Vec<PreconditionViolation>,
    resource: Option<Resource>,
    retry_after: Option<Duration>,
}

#[derive(Clone, Debug)]
struct Resource {
    kind: &'static str,
    name: String,
    description: String,
}

impl Refusal {
    /// Starts a refusal. `message` is for people: lower case, no full stop, with the values.
    pub fn new(code: Code, reason: ErrorReason, message: impl Into<String>) -> Self {
        Self(Box::new(Content {
            code,
            reason,
            message: message.into(),
            metadata: BTreeMap::new(),
            fields: Vec::new(),
            preconditions: Vec::new(),
            resource: None,
            retry_after: None,
        }))
    }

    /// Adds a value to `ErrorInfo`'s metadata; `ErrorReason` in the contract says which keys a reason has.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        self.0.metadata.insert(key.into(), value.to_string());
        self
    }

    /// Adds a violation to `BadRequest`. `field` is a path as in `items[3].task_id`.
    #[must_use]
    pub fn field_violation(mut self, field: impl Into<String>, description: impl Into<String>) -> Self {
        self.0.fields.push(FieldViolation::new(field, description));
        self
    }

    /// Adds a violation to `PreconditionFailure`. `rule` is the rule or condition, `subject` the id of the task.
    #[must_use]
    pub fn precondition(
        mut self,
        rule: impl Into<String>,
        subject: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        self.0.preconditions.push(PreconditionViolation::new(rule, subject, description));
        self
    }

    /// Names the resource that is missing or taken, in `ResourceInfo`. `kind` is `task`, `handoff`, `agent` or `rule`.
    #[must_use]
    pub fn resource(
        mut self,
        kind: &'static str,
        name: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        self.0.resource = Some(Resource { kind, name: name.into(), description: description.into() });
        self
    }

    /// Says in `RetryInfo` when the call is worth repeating.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// The status code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The reason.
    pub fn reason(&self) -> ErrorReason {
        self.0.reason
    }

    /// The message as it was given.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Turns the refusal of one item of a batch into its place in the answer.
    pub fn into_item_error(self) -> ItemError {
        let content = *self.0;
        ItemError {
            code: content.code as i32,
            message: content.message,
            reason: reason_name(content.reason).to_owned(),
            metadata: content.metadata.into_iter().map(|(key, value)| (key.into_owned(), value)).collect(),
        }
    }

    /// Turns the refusal into the status that the caller gets.
    pub fn into_status(self) -> Status {
        let mut content = *self.0;
        truncate(&mut content.message, MESSAGE_BYTES_MAX);
        let mut room = Room::beside(&content.message);
        let mut details = ErrorDetails::new();
        if content.retry_after.is_some() {
            details.set_retry_info(content.retry_after);
        }
        if let Some(mut resource) = content.resource.take() {
            truncate(&mut resource.name, DETAIL_TEXT_BYTES_MAX);
            truncate(&mut resource.description, DETAIL_TEXT_BYTES_MAX);
            if room.take(resource.kind.len() + resource.name.len() + resource.description.len()) {
                details.set_resource_info(resource.kind, resource.name, "", resource.description);
            }
        }
        let mut metadata = fit_metadata(content.metadata, &mut room);
        let violations = content.fields.len() + content.preconditions.len();
        let fields = fit_fields(content.fields, &mut room);
        let preconditions = fit_preconditions(content.preconditions, &mut room);
        let left_out = violations - fields.len() - preconditions.len();
        if left_out > 0 {
            metadata.insert(VIOLATIONS_LEFT_OUT.to_owned(), left_out.to_string());
        }
        if !fields.is_empty() {
            details.set_bad_request(fields);
        }
        if !preconditions.is_empty() {
            details.set_precondition_failure(preconditions);
        }
        details.set_error_info(
            reason_name(content.reason),
            ERROR_DOMAIN,
            metadata.into_iter().collect::<HashMap<_, _>>(),
        );
        Status::with_error_details(content.code, content.message, details)
    }

    /// Turns the refusal into the trailers that end a stream.
    pub(crate) fn into_trailers(self) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        let status = self.into_status();
        if status.add_header(&mut trailers).is_err() {
            // The message could not stand in a header. The code can.
            trailers.clear();
            let _ = Status::new(status.code(), "").add_header(&mut trailers);
        }
        trailers
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        refusal.into_status()
    }
}

/// The name of a reason as it stands in `ErrorInfo`: without the prefix `ERROR_REASON_`.
pub fn reason_name(reason: ErrorReason) -> &'static str {
    reason.as_str_name().strip_prefix("ERROR_REASON_").expect("buf's lint demands the prefix")
}

/// What is left of the bytes that details may have, before base64 makes four of three.
struct Room {
    bytes: usize,
}

impl Room {
    /// The room for details beside `message`, which travels percent-encoded in a header and again as it is in the details.
    fn beside(message: &str) -> Self {
        let encoded: usize =
            message.bytes().map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 }).sum();
        let details = (REFUSAL_WIRE_BYTES_MAX - encoded) / 4 * 3;
        Self { bytes: details - message.len() - ENVELOPE_BYTES }
    }

    /// Takes the room that texts of `bytes` in all need, or says that there is none.
    fn take(&mut self, bytes: usize) -> bool {
        match self.bytes.checked_sub(bytes + FRAMING_BYTES) {
            Some(left) => {
                self.bytes = left;
                true
            }
            None => false,
        }
    }
}

fn fit_metadata(metadata: BTreeMap<Cow<'static, str>, String>, room: &mut Room) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for (key, mut value) in metadata {
        truncate(&mut value, DETAIL_TEXT_BYTES_MAX);
        if room.take(key.len() + value.len()) {
            kept.insert(key.into_owned(), value);
        }
    }
    kept
}

fn fit_fields(violations: Vec<FieldViolation>, room: &mut Room) -> Vec<FieldViolation> {
    let cut = violations.into_iter().map(|mut violation| {
        truncate(&mut violation.field, DETAIL_TEXT_BYTES_MAX);
        truncate(&mut violation.description, DETAIL_TEXT_BYTES_MAX);
        violation
    });
    cut.take_while(|violation| room.take(violation.field.len() + violation.description.len())).collect()
}

fn fit_preconditions(violations: Vec<PreconditionViolation>, room: &mut Room) -> Vec<PreconditionViolation> {
    let cut = violations.into_iter().map(|mut violation| {
        truncate(&mut violation.r#type, DETAIL_TEXT_BYTES_MAX);
        truncate(&mut violation.subject, DETAIL_TEXT_BYTES_MAX);
        truncate(&mut violation.description, DETAIL_TEXT_BYTES_MAX);
        violation
    });
    cut.take_while(|violation| {
        room.take(violation.r#type.len() + violation.subject.len() + violation.description.len())
    })
    .collect()
}

/// Cuts `text` to at most `bytes_max` bytes, at a character, and marks the cut.
fn truncate(text: &mut String, bytes_max: usize) {
    const MARK: &str = "…";
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max - MARK.len()));
        text.push_str(MARK);
    }
}
