//! Reads off an encoded BatchHandOffResponse how many hand-offs were done, and why one was not, without taking apart those that were.
//!
//! Numbers of fields are those of `proto/baton/v1/handoff_service.proto`; a test holds them to it.

use baton_proto::v1::BatchHandOffResponse;
use prost::{DecodeError, Message as _};

use crate::{
    failure::Failure,
    fields::{fields, inner, skip},
    peers::first_error,
};

/// `BatchHandOffResponse.results`.
const RESPONSE_RESULTS: u32 = 1;
/// `HandOffResult.handoff`.
const RESULT_HANDOFF: u32 = 1;
/// `HandOffResult.error`.
const RESULT_ERROR: u32 = 2;

/// What an answer has.
#[derive(Default)]
struct Results {
    handoffs: u64,
    errors: u64,
    // With neither a hand-off nor an error.
    empty: u64,
}

/// How many hand-offs were done.
///
/// # Errors
/// It is not an answer, or an item was refused.
pub(super) fn done(answer: &[u8]) -> Result<u64, Failure> {
    let results = scan(answer).map_err(unreadable)?;
    if results.errors > 0 {
        first_error(decode(answer)?.results.into_iter().map(|result| result.error))?;
    }
    if results.empty > 0 {
        return Err(Failure::new(format!("{} results have no hand-off and no error", results.empty)));
    }
    Ok(results.handoffs)
}

/// The whole answer.
///
/// # Errors
/// It is none.
pub(super) fn decode(answer: &[u8]) -> Result<BatchHandOffResponse, Failure> {
    BatchHandOffResponse::decode(answer).map_err(unreadable)
}

fn unreadable(error: DecodeError) -> Failure {
    Failure::new(format!("the answer to a batch cannot be read: {error}"))
}

fn scan(answer: &[u8]) -> Result<Results, DecodeError> {
    let mut results = Results::default();
    fields(answer, |field, wire, rest| {
        if field != RESPONSE_RESULTS {
            return skip(field, wire, rest);
        }
        let (mut handoff, mut error) = (false, false);
        fields(inner(wire, rest)?, |field, wire, rest| {
            handoff |= field == RESULT_HANDOFF;
            error |= field == RESULT_ERROR;
            skip(field, wire, rest)
        })?;
        results.errors += u64::from(error);
        results.handoffs += u64::from(handoff);
        results.empty += u64::from(!handoff && !error);
        Ok(())
    })?;
    Ok(results)
}

#[cfg(test)]
mod tests {
    use baton_proto::v1::{BatchHandOffResponse, HandOffResult, Handoff, ItemError};
    use prost::Message as _;

    use super::done;

    fn completed(revision: u64) -> HandOffResult {
        let handoff = Handoff { handoff_id: "h".repeat(300), revision, ..Default::default() };
        HandOffResult { handoff: Some(handoff), error: None }
    }

    fn refused(message: &str) -> HandOffResult {
        let error = ItemError { code: 9, message: message.into(), ..Default::default() };
        HandOffResult { handoff: None, error: Some(error) }
    }

    fn answer(results: Vec<HandOffResult>) -> Vec<u8> {
        BatchHandOffResponse { results }.encode_to_vec()
    }

    #[test]
    fn what_was_done_is_counted() {
        assert_eq!(done(&[]).expect("nothing was done"), 0);
        assert_eq!(done(&answer((1..=3).map(completed).collect())).expect("all were done"), 3);
    }

    #[test]
    fn the_first_item_that_was_refused_is_told_as_a_call_that_was_refused() {
        let answer = answer(vec![completed(1), refused("the owner is another"), completed(2), refused("no")]);
        let failure = done(&answer).expect_err("an item was refused").to_string();
        assert_eq!(failure, "a call failed: the owner is another (FailedPrecondition)");
    }

    #[test]
    fn a_result_that_says_nothing_is_no_hand_off() {
        let nothing = HandOffResult::default();
        let failure = done(&answer(vec![completed(1), nothing])).expect_err("one says nothing").to_string();
        assert_eq!(failure, "1 results have no hand-off and no error");
    }

    #[test]
    fn what_is_no_answer_is_a_failure() {
        let answer = answer((1..=3).map(completed).collect());
        let each = answer.len() / 3;
        for length in (1..answer.len()).filter(|length| length % each != 0) {
            assert!(done(&answer[..length]).is_err(), "the first {length} of {} bytes", answer.len());
        }
        let too_long = [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x00];
        for garbage in [&[0xff; 64][..], b"\0\0\0", b"not an answer", &[0x08, 0x02, 0x0a, 0x00], &too_long] {
            assert!(done(garbage).is_err(), "{garbage:?}");
        }
    }
}
