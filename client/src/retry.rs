//! Decides whether a failed attempt is repeated, and after how long.
//!
//! Pure but for the jitter's random number, which is passed in. Knows nothing of channels or clocks.

use std::time::Duration;

use crate::error::Error;

/// How often and how soon a call is repeated when the server cannot take it.
///
/// A call is repeated on `UNAVAILABLE` and on `RESOURCE_EXHAUSTED`, never on anything else. That is safe for every call: reads change nothing,
/// and each mutation carries one request id through all of its attempts. Whatever the policy says, no attempt starts after the call's deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a call is tried in all, 1 or more. Default: 5.
    pub attempts_max: u32,
    /// Upper bound of the pause before the second attempt; it doubles with every further attempt. Default: 50 ms.
    ///
    /// The pause itself is random between zero and the bound ("full jitter"), so that clients which failed together do not return together.
    pub backoff_initial: Duration,
    /// The bound grows no further than this. Default: 5 s.
    pub backoff_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: 5,
            backoff_initial: Duration::from_millis(50),
            backoff_max: Duration::from_secs(5),
        }
    }
}

impl RetryPolicy {
    /// Never repeats a call.
    #[must_use]
    pub fn none() -> Self {
        Self { attempts_max: 1, ..Self::default() }
    }

    /// The upper bound of the pause after `failures` failures in a row, which is 1 or more.
    fn bound(&self, failures: u32) -> Duration {
        let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.backoff_initial.saturating_mul(factor).min(self.backoff_max)
    }

    /// The pause after `failures` failures in a row, where `jitter` is in 0..1.
    pub(crate) fn backoff(&self, failures: u32, jitter: f64) -> Duration {
        self.bound(failures).mul_f64(jitter)
    }

    /// The pause before the next attempt, or nothing if there is to be none.
    ///
    /// While some of the `endpoints` have not been asked in this call, the next of them is asked at once. A server that says when to come
    /// back is not asked earlier, and the jitter comes on top.
    pub(crate) fn pause(
        &self,
        attempts: u32,
        endpoints: usize,
        error: &Error,
        jitter: f64,
    ) -> Option<Duration> {
        if attempts >= self.attempts_max || !error.is_retryable() {
            return None;
        }
        let asked = usize::try_from(attempts).unwrap_or(usize::MAX);
        if error.is_unavailable() && asked < endpoints {
            return Some(Duration::ZERO);
        }
        let told = error.retry_after().unwrap_or_default();
        Some(told.saturating_add(self.backoff(attempts, jitter)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::RetryPolicy;
    use crate::error::{Error, Origin, from_status};

    const POLICY: RetryPolicy = RetryPolicy {
        attempts_max: 4,
        backoff_initial: Duration::from_millis(100),
        backoff_max: Duration::from_millis(350),
    };

    fn error(code: Code, retry_delay: Option<Duration>) -> Error {
        let details = ErrorDetails::with_retry_info(retry_delay);
        from_status(Status::with_error_details(code, "", details), Origin::default())
    }

    #[test]
    fn the_bound_of_the_pause_doubles_up_to_its_limit_and_jitter_is_full() {
        let bounds = [1, 2, 3, 4, 40, u32::MAX].map(|failures| POLICY.backoff(failures, 1.0).as_millis());
        assert_eq!(bounds, [100, 200, 350, 350, 350, 350]);
        assert_eq!(POLICY.backoff(2, 0.0), Duration::ZERO);
        assert_eq!(POLICY.backoff(2, 0.5), Duration::from_millis(100));
    }

    #[test]
    fn only_what_may_pass_is_repeated() {
        for code in (1..=16).map(Code::from) {
            let passing = matches!(code, Code::Unavailable | Code::ResourceExhausted);
            assert_eq!(POLICY.pause(1, 1, &error(code, None), 0.5).is_some(), passing, "{code:?}");
        }
    }

    #[test]
    fn the_last_attempt_is_the_last() {
        let unavailable = error(Code::Unavailable, None);
        assert!(POLICY.pause(3, 1, &unavailable, 0.5).is_some());
        assert_eq!(POLICY.pause(4, 1, &unavailable, 0.5), None);
        assert_eq!(RetryPolicy::none().pause(1, 1, &unavailable, 0.5), None);
    }

    #[test]
    fn a_server_that_says_when_is_not_asked_earlier() {
        let told = Duration::from_secs(7);
        for code in [Code::ResourceExhausted, Code::Unavailable] {
            let pause = POLICY.pause(1, 1, &error(code, Some(told)), 0.0);
            assert_eq!(pause, Some(told), "{code:?}");
        }
    }

    #[test]
    fn endpoints_that_have_not_been_asked_are_asked_at_once() {
        let unavailable = error(Code::Unavailable, Some(Duration::from_secs(7)));
        let pauses = [1, 2, 3].map(|attempts| POLICY.pause(attempts, 3, &unavailable, 0.5));
        assert_eq!(pauses[..2], [Some(Duration::ZERO), Some(Duration::ZERO)]);
        assert!(pauses[2].is_some_and(|pause| pause >= Duration::from_secs(7)));
        // A full queue is no reason to go to another server: the queue is the log's.
        let full = error(Code::ResourceExhausted, None);
        assert_eq!(POLICY.pause(1, 3, &full, 1.0), Some(Duration::from_millis(100)));
    }
}
