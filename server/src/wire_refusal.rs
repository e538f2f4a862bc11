//! Gives the contract's form to refusals that the gRPC library makes by itself.
//!
//! A request that cannot be decoded never reaches its service: the library answers INTERNAL, and OUT_OF_RANGE if it is too large. In both
//! cases the caller can mend it, and the contract says INVALID_ARGUMENT. Knows the library's answers, nothing of the services.

use baton_proto::v1::ErrorReason;
use http::{HeaderMap, Response};
use tonic::{Code, Status, body::Body};

use crate::status::{DETAILS_HEADER, Refusal};

/// What a malformed request's violation is about: the message as a whole.
const WHOLE_MESSAGE: &str = "request";

/// Rewrites `response`, whose status stands in its headers, if it is such a refusal. Those of services are told by their details, which they all have.
pub(crate) fn translate(response: Response<Body>) -> Response<Body> {
    match refusal(response.headers()) {
        Some(refusal) => refusal.into_status().into_http(),
        None => response,
    }
}

fn refusal(headers: &HeaderMap) -> Option<Refusal> {
    if headers.contains_key(&DETAILS_HEADER) {
        return None;
    }
    let status = Status::from_header_map(headers)?;
    let message = match status.code() {
        Code::Internal => "the request cannot be decoded",
        Code::OutOfRange | Code::ResourceExhausted => "the request is larger than message_bytes_max",
        _ => return None,
    };
    Some(
        Refusal::new(Code::InvalidArgument, ErrorReason::InvalidField, message)
            .field_violation(WHOLE_MESSAGE, status.message()),
    )
}
