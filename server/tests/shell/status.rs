//! Refusals, read back as a caller reads them.

use std::time::Duration;

use baton_proto::v1::ErrorReason;
use baton_server::status::{Refusal, VIOLATIONS_LEFT_OUT, reason_name};
use http::HeaderMap;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// What Java and older C clients accept in all.
const METADATA_BYTES_MAX: usize = 8 * 1024;

/// Sends `status` through headers, and returns how large they are and what arrives.
fn through_the_wire(status: &Status) -> (usize, Status) {
    let mut headers = HeaderMap::new();
    status.add_header(&mut headers).unwrap();
    let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
    (bytes, Status::from_header_map(&headers).unwrap())
}

#[test]
fn everything_that_is_said_arrives() {
    let status = Refusal::new(Code::FailedPrecondition, ErrorReason::HandoffRejected, "the rules refuse it")
        .metadata("task_id", "t-17")
        .metadata("owner_epoch", 4)
        .field_violation("reason", "it is empty")
        .precondition("ping_pong", "t-17", "triage and billing have had it 5 times in 8 hand-offs")
        .precondition("self_handoff", "t-17", "sender and receiver are both billing")
        .resource("task", "t-17", "owned by billing")
        .retry_after(Duration::from_millis(1_500))
        .into_status();
    let (_, arrived) = through_the_wire(&status);
    assert_eq!(arrived.code(), Code::FailedPrecondition);
    assert_eq!(arrived.message(), "the rules refuse it");
    let details = arrived.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!((info.domain.as_str(), info.reason.as_str()), ("baton.v1", "HANDOFF_REJECTED"));
    assert_eq!(info.metadata["task_id"], "t-17");
    assert_eq!(info.metadata["owner_epoch"], "4");
    assert_eq!(info.metadata.len(), 2);
    assert_eq!(details.bad_request().unwrap().field_violations[0].field, "reason");
    let violations = &details.precondition_failure().unwrap().violations;
    assert_eq!(violations.len(), 2);
    assert_eq!((violations[1].r#type.as_str(), violations[1].subject.as_str()), ("self_handoff", "t-17"));
    assert_eq!(details.resource_info().unwrap().resource_name, "t-17");
    assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_millis(1_500)));
}

#[test]
fn a_refusal_fits_into_the_headers_of_any_client_and_says_what_is_left_out() {
    let long = "ü".repeat(4_096);
    for (field, description) in [
        ("f", "d"),
        ("items[3].task_id", "257 bytes: it must be at most 256"),
        (long.as_str(), long.as_str()),
    ] {
        for message in ["short", &long, &"{".repeat(10_000)] {
            let mut refusal = Refusal::new(Code::InvalidArgument, ErrorReason::InvalidField, message)
                .resource("task", long.clone(), long.clone())
                .retry_after(Duration::from_secs(1))
                .metadata("task_id", &long);
            for _ in 0..700 {
                refusal =
                    refusal.field_violation(field, description).precondition(field, description, description);
            }
            let (bytes, arrived) = through_the_wire(&refusal.into_status());
            assert!(bytes <= METADATA_BYTES_MAX, "{bytes} bytes for {field:.10?}, {message:.10?}");
            let details = arrived.get_error_details();
            let kept = details.bad_request().map_or(0, |bad| bad.field_violations.len())
                + details.precondition_failure().map_or(0, |failure| failure.violations.len());
            let left_out: usize =
                details.error_info().unwrap().metadata[VIOLATIONS_LEFT_OUT].parse().unwrap();
            assert_eq!(kept + left_out, 1_400);
        }
    }
}

#[test]
fn a_realistic_list_of_violations_is_not_cut() {
    let mut refusal =
        Refusal::new(Code::InvalidArgument, ErrorReason::InvalidField, "20 fields are malformed");
    for item in 0..20 {
        refusal = refusal.field_violation(
            format!("items[{item}].assigned_agent"),
            "it is empty: 1 to 256 bytes without control characters are needed",
        );
    }
    let (_, arrived) = through_the_wire(&refusal.into_status());
    let details = arrived.get_error_details();
    assert_eq!(details.bad_request().unwrap().field_violations.len(), 20);
    assert!(!details.error_info().unwrap().metadata.contains_key(VIOLATIONS_LEFT_OUT));
}

#[test]
fn every_reason_has_a_name_of_its_own() {
    let mut names: Vec<_> =
        (0..).map_while(|number| ErrorReason::try_from(number).ok()).map(reason_name).collect();
    assert!(names.contains(&"STALE_OWNER") && names.contains(&"INTERNAL"));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn an_item_of_a_batch_is_refused_with_the_values_of_the_single_call() {
    let error =
        Refusal::new(Code::FailedPrecondition, ErrorReason::StaleOwner, "task t-17 is owned by billing")
            .metadata("owner", "billing")
            .into_item_error();
    assert_eq!(error.code, 9);
    assert_eq!(error.reason, "STALE_OWNER");
    assert_eq!(error.message, "task t-17 is owned by billing");
    assert_eq!(error.metadata["owner"], "billing");
}
