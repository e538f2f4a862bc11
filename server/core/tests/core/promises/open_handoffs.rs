//! Hand-offs in two halves: initiated, then executed or withdrawn.

use baton_core::{End, HandoffId, HandoffStatus, Rejection, Revision, StepName, TaskStatus};

use crate::{
    namespace::Namespace,
    words::{closed, create, end, execute, hand_off, initiate, know, object, start, withdraw},
};

/// A task `t` of `a` that is to go to `b`.
fn initiated() -> (Namespace, HandoffId) {
    let mut ns = Namespace::new();
    ns.grant(create("t", "a"));
    let (handoff, _) = ns.handoff(initiate("t", "a", "b"));
    (ns, handoff.id)
}

#[test]
fn an_initiated_hand_off_moves_nothing_and_is_named_by_its_task() {
    let (ns, id) = initiated();
    let task = &ns.task("t").task;
    assert_eq!((task.owner.as_str(), task.owner_epoch, task.status), ("a", 1, TaskStatus::Pending));
    assert_eq!((task.open_handoff, task.handoff_count), (Some(id), 0));
    assert_eq!(ns.state.handoff(id).unwrap().status, HandoffStatus::Initiated);
}

#[test]
fn an_executed_hand_off_moves_the_state_that_the_sender_has_then() {
    let (mut ns, id) = initiated();
    ns.grant(know("a", object(r#"{"k": "late"}"#)));
    let (handoff, task) = ns.handoff(execute(id));
    assert_eq!((handoff.status, handoff.owner_epoch), (HandoffStatus::Completed, 2));
    assert_eq!((task.owner.as_str(), task.owner_epoch, task.open_handoff), ("b", 2, None));
    assert_eq!(ns.known_by("b"), object(r#"{"k": "late"}"#));
}

#[test]
fn a_withdrawn_hand_off_leaves_the_owner_alone() {
    let (mut ns, id) = initiated();
    let (handoff, task) = ns.handoff(withdraw(id));
    assert_eq!((handoff.status, handoff.error.as_str()), (HandoffStatus::Withdrawn, "not needed"));
    assert_eq!((task.owner.as_str(), task.owner_epoch, task.open_handoff), ("a", 1, None));
}

#[test]
fn only_an_initiated_hand_off_can_be_executed_or_withdrawn() {
    for close in [execute, withdraw] {
        let (mut ns, id) = initiated();
        let wanted = |close: fn(HandoffId) -> _| {
            if close(id) == execute(id) { HandoffStatus::Completed } else { HandoffStatus::Withdrawn }
        };
        ns.grant(close(id));
        for again in [execute, withdraw] {
            let (status, wanted) = (wanted(close), wanted(again));
            let rejection = ns.refuse(again(id));
            assert_eq!(rejection, Rejection::WrongHandoffStatus { handoff_id: id, status, wanted });
        }
    }
}

#[test]
fn a_hand_off_that_does_not_exist_cannot_be_closed() {
    let (mut ns, _) = initiated();
    // Revision 1 is the task's creation.
    for handoff_id in [0, 1, 99].map(|revision| HandoffId(Revision(revision))) {
        assert_eq!(ns.refuse(execute(handoff_id)), Rejection::HandoffNotFound { handoff_id });
        assert_eq!(ns.refuse(withdraw(handoff_id)), Rejection::HandoffNotFound { handoff_id });
    }
}

#[test]
fn a_stale_epoch_closes_nothing() {
    let (mut ns, id) = initiated();
    let stale = baton_core::CloseHandoff { owner_epoch: Some(7), ..closed(id) };
    for action in
        [baton_core::Action::ExecuteHandoff(stale.clone()), baton_core::Action::WithdrawHandoff(stale)]
    {
        let rejection = ns.refuse(action);
        let expected =
            Rejection::StaleOwner { task_id: "t".into(), owner: "a".into(), owner_epoch: 1, given_epoch: 7 };
        assert_eq!(rejection, expected);
    }
}

#[test]
fn a_hand_off_that_the_rules_refuse_at_its_execution_fails_and_is_closed() {
    let (mut ns, id) = initiated();
    ns.grant(end("t", End::Cancel));
    let (handoff, task) = ns.handoff(execute(id));
    assert_eq!((handoff.status, handoff.failed_step), (HandoffStatus::Failed, Some(StepName::Validation)));
    assert!(handoff.error.contains("is cancelled"), "{}", handoff.error);
    assert_eq!((task.status, task.open_handoff), (TaskStatus::Cancelled, None));
}

#[test]
fn a_task_has_one_open_hand_off_at_most() {
    let (mut ns, id) = initiated();
    for again in [initiate("t", "a", "c"), hand_off("t", "a", "c")] {
        let (handoff, task) = ns.handoff(again);
        assert_eq!(handoff.status, HandoffStatus::Rejected);
        assert_eq!(handoff.verdict.errors[0].rule.as_str(), "open_handoff");
        assert_eq!((task.owner.as_str(), task.open_handoff), ("a", Some(id)));
    }
}

#[test]
fn the_owner_goes_on_working_while_a_hand_off_is_open() {
    let (mut ns, id) = initiated();
    ns.grant(start("t"));
    assert_eq!(ns.task("t").task.open_handoff, Some(id));
}
