//! Reads the deadline that a caller sets and refuses a call when it has passed.
//!
//! Knows the header `grpc-timeout` and the server's own bound. Knows nothing of what a call does; in particular, a commit that has
//! begun goes on.

use std::time::Duration;

use baton_proto::v1::ErrorReason;
use http::{HeaderMap, HeaderName};
use tokio::time::Instant;
use tonic::Code;

use crate::status::Refusal;

/// The header in which gRPC carries a call's timeout: one to eight digits and a unit.
pub static TIMEOUT_HEADER: HeaderName = HeaderName::from_static("grpc-timeout");

/// The moment by which a call must be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline of a call with these headers that arrived at `now`. `longest` is the server's own bound: it cuts longer timeouts,
    /// and holds where the caller gave none. Without either there is no deadline.
    ///
    /// # Errors
    /// INVALID_ARGUMENT if the header is malformed.
    pub fn of(headers: &HeaderMap, now: Instant, longest: Option<Duration>) -> Result<Option<Self>, Refusal> {
        let asked = requested_timeout(headers)?;
        let timeout = match (asked, longest) {
            (Some(asked), Some(longest)) => Some(asked.min(longest)),
            (asked, longest) => asked.or(longest),
        };
        // A timeout of millions of hours may lie beyond what the machine can count: then there is none.
        Ok(timeout.and_then(|timeout| now.checked_add(timeout)).map(Self))
    }

    /// The moment.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// The time that is left; zero if it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    pub fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }
}

/// The refusal of a call whose deadline has passed.
pub fn exceeded() -> Refusal {
    Refusal::new(
        Code::DeadlineExceeded,
        ErrorReason::DeadlineExceeded,
        "the deadline passed before the answer; a change may have been made: retry with the same request id",
    )
}

fn requested_timeout(headers: &HeaderMap) -> Result<Option<Duration>, Refusal> {
    let mut values = headers.get_all(&TIMEOUT_HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let parsed = if values.next().is_none() { parse(value.as_bytes()) } else { None };
    parsed.map(Some).ok_or_else(|| {
        let description = format!(
            "{:?} is not a timeout: one to eight digits and a unit of H, M, S, m, u or n",
            String::from_utf8_lossy(value.as_bytes())
        );
        Refusal::new(
            Code::InvalidArgument,
            ErrorReason::InvalidField,
            format!("the header {} is malformed", TIMEOUT_HEADER.as_str()),
        )
        .field_violation(TIMEOUT_HEADER.as_str(), description)
    })
}

fn parse(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count = digits.iter().fold(0_u64, |count, digit| count * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Some(Duration::from_secs(count * 3_600)),
        b'M' => Some(Duration::from_secs(count * 60)),
        b'S' => Some(Duration::from_secs(count)),
        b'm' => Some(Duration::from_millis(count)),
        b'u' => Some(Duration::from_micros(count)),
        b'n' => Some(Duration::from_nanos(count)),
        _ => None,
    }
}
