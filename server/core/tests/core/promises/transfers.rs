//! How state moves from one agent to another, and how conflicts are settled.

use baton_core::{
    Action, ConflictPolicy, HandoffStatus, Obstacle, Proposal, Rejection, StateChangeKind, TransferSpec,
};

use crate::{
    namespace::Namespace,
    words::{all_keys, create, keys, know, nothing, object, proposal, transfer},
};

const SENDER: &str = r#"{"both":"sender","same":[1,{"x":2}],"sent":1}"#;
const RECEIVER: &str = r#"{"both":"receiver","same":[1,{"x":2}],"own":2}"#;

struct Case {
    spec: TransferSpec,
    /// What the receiver knows after it.
    result: Result<&'static str, Obstacle>,
}

fn cases() -> Vec<Case> {
    use ConflictPolicy::{Fail, Keep, Overwrite};
    let moved = |spec, result| Case { spec, result: Ok(result) };
    let stuck = |spec, obstacle| Case { spec, result: Err(obstacle) };
    vec![
        moved(all_keys(Overwrite), r#"{"both":"sender","same":[1,{"x":2}],"sent":1,"own":2}"#),
        moved(all_keys(Keep), r#"{"both":"receiver","same":[1,{"x":2}],"sent":1,"own":2}"#),
        stuck(all_keys(Fail), Obstacle::Conflict(vec!["both".into()])),
        moved(keys(&["sent"], Overwrite), r#"{"both":"receiver","same":[1,{"x":2}],"sent":1,"own":2}"#),
        moved(keys(&["both"], Overwrite), r#"{"both":"sender","same":[1,{"x":2}],"own":2}"#),
        moved(keys(&["both"], Keep), RECEIVER),
        stuck(keys(&["sent", "both"], Fail), Obstacle::Conflict(vec!["both".into()])),
        // Equal values are no conflict.
        moved(keys(&["same", "sent"], Fail), r#"{"both":"receiver","same":[1,{"x":2}],"sent":1,"own":2}"#),
        stuck(keys(&["no", "sent", "nor"], Overwrite), Obstacle::Missing(vec!["no".into(), "nor".into()])),
        stuck(keys(&["own"], Keep), Obstacle::Missing(vec!["own".into()])),
    ]
}

/// A task `t` of `a`; both `a` and `b` know something.
fn both_know() -> Namespace {
    let mut ns = Namespace::new();
    ns.grant(create("t", "a"));
    ns.grant(know("a", object(SENDER)));
    ns.grant(know("b", object(RECEIVER)));
    ns
}

#[test]
fn a_transfer_moves_what_was_asked_for_or_tells_every_key_that_is_in_the_way() {
    for Case { spec, result } in cases() {
        let mut ns = both_know();
        match result {
            Ok(expected) => {
                ns.grant(transfer("a", "b", spec));
                assert_eq!(ns.known_by("b"), object(expected));
            }
            Err(obstacle) => {
                let expected = Rejection::Transfer { from: "a".into(), to: "b".into(), obstacle };
                assert_eq!(ns.refuse(transfer("a", "b", spec)), expected);
            }
        }
        assert_eq!(ns.known_by("a"), object(SENDER), "the sender keeps its own");
    }
}

#[test]
fn a_hand_off_moves_the_same_as_a_transfer_or_fails_as_a_whole() {
    for Case { spec, result } in cases() {
        let mut ns = both_know();
        let (handoff, task) =
            ns.handoff(Action::HandOff(Proposal { transfer: spec, ..proposal("t", "a", "b") }));
        match result {
            Ok(expected) => {
                assert_eq!((handoff.status, task.owner.as_str()), (HandoffStatus::Completed, "b"));
                assert_eq!(ns.known_by("b"), object(expected));
            }
            Err(obstacle) => {
                assert_eq!((handoff.status, task.owner.as_str()), (HandoffStatus::Failed, "a"));
                assert_eq!(handoff.error.as_str(), obstacle.to_string());
                assert_eq!(ns.known_by("b"), object(RECEIVER));
            }
        }
        assert_eq!(ns.known_by("a"), object(SENDER));
    }
}

#[test]
fn a_hand_off_without_state_moves_the_task_alone() {
    let mut ns = both_know();
    let asked = Proposal { transfer: nothing(), ..proposal("t", "a", "b") };
    let (handoff, task) = ns.handoff(Action::HandOff(asked));
    assert_eq!((handoff.transfer.from_revision.0, task.owner.as_str()), (0, "b"));
    assert_eq!(ns.known_by("b"), object(RECEIVER));
    assert_eq!(ns.agent("b").history.entries().len(), 1);
}

#[test]
fn a_sender_without_state_hands_on_the_task_alone_unless_keys_were_asked_for() {
    for (spec, status) in [
        (all_keys(ConflictPolicy::Fail), HandoffStatus::Completed),
        (keys(&["k"], ConflictPolicy::Keep), HandoffStatus::Failed),
    ] {
        let mut ns = Namespace::new();
        ns.grant(create("t", "a"));
        let (handoff, _) =
            ns.handoff(Action::HandOff(Proposal { transfer: spec, ..proposal("t", "a", "b") }));
        assert_eq!(handoff.status, status);
        assert!(ns.state.agent("b").is_none());
    }
}

#[test]
fn a_transfer_needs_a_sender_that_knows_something() {
    let rejection = Namespace::new().refuse(transfer("a", "b", TransferSpec::default()));
    assert_eq!(rejection, Rejection::AgentNotFound { agent_id: "a".into() });
}

#[test]
fn the_receivers_history_tells_whose_state_came_in_and_with_which_hand_off() {
    let mut ns = both_know();
    ns.grant(transfer("a", "b", TransferSpec::default()));
    let (handoff, _) = ns.handoff(Action::HandOff(proposal("t", "a", "b")));
    let how: Vec<_> =
        ns.agent("b").history.entries().iter().skip(1).map(|change| change.how.clone()).collect();
    let from_a = |handoff| StateChangeKind::Transferred { from: "a".into(), handoff };
    assert_eq!(how, [from_a(None), from_a(Some(handoff.id))]);
    assert_eq!(ns.agent("b").state.transferred_from.as_deref(), Some("a"));
    assert_eq!(handoff.transfer.from_revision, ns.agent("a").state.revision);
}

#[test]
fn a_transfer_that_would_make_the_receivers_state_too_large_is_refused() {
    let mut ns = Namespace::new();
    let of = |key: &str, bytes: usize| object(&format!(r#"{{"{key}":"{}"}}"#, "x".repeat(bytes)));
    ns.grant(know("a", of("a", 1_000_000)));
    ns.grant(know("b", of("b", 2_000_000)));
    let obstacle = Obstacle::TooManyBytes(3_000_018);
    let expected = Rejection::Transfer { from: "a".into(), to: "b".into(), obstacle };
    assert_eq!(ns.refuse(transfer("a", "b", TransferSpec::default())), expected);
}
