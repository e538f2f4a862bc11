//! Every reason for a refusal is met, and says what the contract promises of it.

mod of_callers;
mod of_servers;

use baton_proto::v1::ErrorReason;
use tonic::Code;

use crate::harness::Refused;

/// Which details fit a reason, besides ErrorInfo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    None,
    BadRequest,
    Precondition,
    Resource,
    Retry,
}

/// What was met, and the keys that ErrorInfo's metadata must have.
type Met = Vec<(Refused, &'static [&'static str])>;

/// The refusals that a reason is met by; `Err`: why it cannot be met from outside.
async fn met(reason: ErrorReason) -> Result<Met, &'static str> {
    use ErrorReason as R;
    Ok(match reason {
        R::Unspecified => return Err("it is not a reason"),
        R::Internal => return Err("it is a defect; the server's own tests let a service panic"),
        R::InvalidField => of_callers::invalid_field().await,
        R::TaskNotFound => of_callers::task_not_found().await,
        R::HandoffNotFound => of_callers::handoff_not_found().await,
        R::AgentNotFound => of_callers::agent_not_found().await,
        R::RuleNotFound => of_callers::rule_not_found().await,
        R::TaskExists => of_callers::task_exists().await,
        R::RequestIdReused => of_callers::request_id_reused().await,
        R::NotOwner => of_callers::not_owner().await,
        R::StaleOwner => of_callers::stale_owner().await,
        R::WrongTaskStatus => of_callers::wrong_task_status().await,
        R::WrongHandoffStatus => of_callers::wrong_handoff_status().await,
        R::HandoffRejected => of_callers::handoff_rejected().await,
        R::HandoffFailed => of_callers::handoff_failed().await,
        R::StateConflict => of_callers::state_conflict().await,
        R::StateTooLarge => of_callers::state_too_large().await,
        R::RuleNotSwitchable => of_callers::rule_not_switchable().await,
        R::RevisionMismatch => of_callers::revision_mismatch().await,
        R::RevisionCompacted => of_callers::revision_compacted().await,
        R::RevisionInFuture => of_callers::revision_in_future().await,
        R::LogMismatch => of_callers::log_mismatch().await,
        R::QueueFull => of_servers::queue_full().await,
        R::QuotaExceeded => of_servers::quota_exceeded().await,
        R::LogFull => of_servers::log_full().await,
        R::LogUnavailable => of_servers::log_unavailable().await,
        R::ShuttingDown => of_servers::shutting_down().await,
        R::DeadlineExceeded => of_servers::deadline_exceeded().await,
        R::LogDamaged => of_servers::log_damaged().await,
    })
}

/// Code and details, as the contract's comment on each reason says.
fn promised(reason: ErrorReason) -> (Code, Detail) {
    use ErrorReason as R;
    match reason {
        R::InvalidField => (Code::InvalidArgument, Detail::BadRequest),
        R::TaskNotFound | R::HandoffNotFound | R::AgentNotFound | R::RuleNotFound => {
            (Code::NotFound, Detail::Resource)
        }
        R::TaskExists => (Code::AlreadyExists, Detail::Resource),
        R::RequestIdReused => (Code::AlreadyExists, Detail::None),
        R::NotOwner | R::StaleOwner | R::WrongTaskStatus | R::HandoffRejected => {
            (Code::FailedPrecondition, Detail::Precondition)
        }
        R::WrongHandoffStatus
        | R::HandoffFailed
        | R::StateConflict
        | R::StateTooLarge
        | R::RuleNotSwitchable
        | R::LogMismatch => (Code::FailedPrecondition, Detail::None),
        R::RevisionMismatch => (Code::Aborted, Detail::None),
        R::RevisionCompacted | R::RevisionInFuture => (Code::OutOfRange, Detail::None),
        R::QueueFull | R::QuotaExceeded => (Code::ResourceExhausted, Detail::Retry),
        R::LogFull | R::LogUnavailable | R::ShuttingDown => (Code::Unavailable, Detail::Retry),
        R::DeadlineExceeded => (Code::DeadlineExceeded, Detail::None),
        R::LogDamaged => (Code::DataLoss, Detail::None),
        R::Unspecified | R::Internal => (Code::Internal, Detail::None),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reason_is_met_with_its_code_its_values_and_its_details() {
    let reasons: Vec<_> = (0..1_000).filter_map(|number| ErrorReason::try_from(number).ok()).collect();
    assert!(reasons.len() >= 29);
    let mut unmet = Vec::new();
    for reason in reasons {
        match met(reason).await {
            Ok(met) => {
                assert!(!met.is_empty(), "{reason:?} is met by nothing");
                met.iter().for_each(|(refused, keys)| check(reason, refused, keys));
            }
            Err(why) => unmet.push((reason, why)),
        }
    }
    let unmet: Vec<_> = unmet.into_iter().map(|(reason, _)| reason).collect();
    assert_eq!(unmet, [ErrorReason::Unspecified, ErrorReason::Internal]);
}

fn check(reason: ErrorReason, refused: &Refused, keys: &[&str]) {
    assert_eq!(refused.reason(), reason, "{refused:?}");
    let (code, detail) = promised(reason);
    assert_eq!(refused.code, code, "{reason:?}: {refused:?}");
    for key in keys {
        assert!(!refused.value(key).is_empty(), "{reason:?}: {key} is empty");
    }
    assert!(!refused.message.is_empty() && !refused.message.ends_with('.'), "{:?}", refused.message);
    let details = &refused.details;
    let resource = details.resource_info().is_some_and(|resource| !resource.resource_name.is_empty());
    let found = [
        (Detail::BadRequest, !refused.fields().is_empty()),
        (Detail::Precondition, !refused.rules().is_empty()),
        (Detail::Resource, resource),
        (Detail::Retry, details.retry_info().is_some_and(|retry| retry.retry_delay.is_some())),
    ];
    for (kind, found) in found {
        assert!(kind != detail || found, "{reason:?} without {kind:?}: {refused:?}");
    }
}
