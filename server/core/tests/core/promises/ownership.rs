//! Only the owner acts on a task, and only with the present epoch.

use baton_core::{
    Action, Claim, End, EndTask, HandoffStatus, Proposal, Rejection, Revision, UpdateMode, UpdateState,
    UpdateTask,
};

use crate::{
    namespace::Namespace,
    words::{create, ended, hand_off, know, object, proposal, start, touch, touched},
};

/// A task `t` in progress that went from `a` to `b`: `b` owns it at epoch 2.
fn handed_on() -> Namespace {
    let mut ns = Namespace::new();
    for action in [create("t", "a"), hand_off("t", "a", "b"), start("t")] {
        ns.grant(action);
    }
    ns
}

/// Every step that an owner can take, with this claim.
fn steps(claim: &Claim) -> Vec<Action> {
    let updates = [false, true].map(|start| UpdateTask { claim: claim.clone(), start, ..touched("t") });
    let ends = [End::Complete, End::Fail, End::Cancel];
    let ends = ends.map(|end| EndTask { claim: claim.clone(), ..ended("t", end) });
    updates.into_iter().map(Action::UpdateTask).chain(ends.into_iter().map(Action::EndTask)).collect()
}

fn claim(agent: Option<&str>, owner_epoch: Option<u64>) -> Claim {
    Claim { agent: agent.map(Into::into), owner_epoch }
}

#[test]
fn a_former_owner_is_refused_and_told_who_owns_the_task_now() {
    for step in steps(&claim(Some("a"), None)) {
        let rejection = handed_on().refuse(step);
        let expected = Rejection::NotOwner {
            task_id: "t".into(),
            owner: "b".into(),
            owner_epoch: 2,
            agent_id: "a".into(),
        };
        assert_eq!(rejection, expected);
        assert_eq!(rejection.to_string(), "task t is owned by b (epoch 2), not by a");
    }
}

#[test]
fn any_epoch_but_the_present_one_is_refused_and_told_the_present_one() {
    for given_epoch in [0, 1, 3, u64::MAX] {
        for agent in [None, Some("a"), Some("b")] {
            for step in steps(&claim(agent, Some(given_epoch))) {
                let expected = Rejection::StaleOwner {
                    task_id: "t".into(),
                    owner: "b".into(),
                    owner_epoch: 2,
                    given_epoch,
                };
                assert_eq!(handed_on().refuse(step), expected);
            }
        }
    }
}

#[test]
fn an_owner_acts_with_or_without_saying_who_it_is() {
    let claims = [claim(None, None), claim(Some("b"), None), claim(None, Some(2)), claim(Some("b"), Some(2))];
    for claim in claims {
        let update = UpdateTask { claim, ..touched("t") };
        handed_on().grant(Action::UpdateTask(update));
    }
}

#[test]
fn the_epoch_grows_by_one_with_each_change_of_owner_and_by_nothing_else() {
    let mut ns = handed_on();
    ns.grant(touch("t"));
    assert_eq!(ns.task("t").task.owner_epoch, 2);
    for (epoch, (from, to)) in [(3, ("b", "c")), (4, ("c", "a")), (5, ("a", "b"))] {
        let (handoff, task) = ns.handoff(hand_off("t", from, to));
        assert_eq!((handoff.owner_epoch, task.owner_epoch, task.owner.as_str()), (epoch, epoch, to));
    }
    let (refused, task) = ns.handoff(hand_off("t", "nobody", "c"));
    assert_eq!((refused.status, refused.owner_epoch), (HandoffStatus::Rejected, 5));
    assert_eq!(task.owner_epoch, 5);
}

#[test]
fn an_owner_that_had_the_task_before_cannot_hand_it_on_with_its_old_epoch() {
    let mut ns = handed_on();
    ns.grant(hand_off("t", "b", "a"));
    let asked = Proposal { owner_epoch: Some(1), ..proposal("t", "a", "c") };
    let (handoff, task) = ns.handoff(Action::HandOff(asked));
    assert_eq!(handoff.verdict.errors[0].rule.as_str(), "stale_owner");
    assert_eq!((task.owner.as_str(), task.owner_epoch), ("a", 3));
}

#[test]
fn a_task_that_has_changed_since_the_caller_looked_is_left_alone() {
    let mut ns = handed_on();
    let seen = ns.task("t").task.revision;
    let update =
        |expected| Action::UpdateTask(UpdateTask { expected_revision: Some(expected), ..touched("t") });
    ns.grant(update(seen));
    let revision = ns.task("t").task.revision;
    let rejection = ns.refuse(update(seen));
    assert_eq!(rejection, Rejection::RevisionMismatch { what: "task t".into(), revision, expected: seen });
}

#[test]
fn a_state_that_has_changed_since_the_caller_looked_is_left_alone() {
    let mut ns = Namespace::new();
    let update = |expected: u64| {
        Action::UpdateState(UpdateState {
            agent_id: "a".into(),
            mode: UpdateMode::Merge,
            update: object(r#"{"k": 1}"#),
            expected_revision: Some(Revision(expected)),
        })
    };
    let mismatch = |revision: u64, expected: u64| Rejection::RevisionMismatch {
        what: "the state of a".into(),
        revision: Revision(revision),
        expected: Revision(expected),
    };
    assert_eq!(ns.refuse(update(1)), mismatch(0, 1));
    ns.grant(update(0));
    assert_eq!(ns.refuse(update(0)), mismatch(1, 0));
    ns.grant(know("a", object(r#"{"k": 2}"#)));
    assert_eq!(ns.refuse(update(1)), mismatch(2, 1));
    ns.grant(update(2));
}
