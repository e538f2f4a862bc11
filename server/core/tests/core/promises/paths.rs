//! A task does not go round for ever.

use baton_core::{HandoffStatus, limits};

use crate::{
    namespace::Namespace,
    words::{create, hand_off},
};

#[track_caller]
fn goes(ns: &mut Namespace, path: &[&str]) {
    for pair in path.windows(2) {
        let (handoff, _) = ns.handoff(hand_off("t", pair[0], pair[1]));
        assert_eq!(handoff.status, HandoffStatus::Completed, "{pair:?}: {:?}", handoff.verdict);
    }
}

#[track_caller]
fn is_refused(ns: &mut Namespace, from: &str, to: &str, rule: &str) {
    let (handoff, task) = ns.handoff(hand_off("t", from, to));
    let rules: Vec<&str> = handoff.verdict.errors.iter().map(|error| error.rule.as_str()).collect();
    assert_eq!((handoff.status, rules), (HandoffStatus::Rejected, vec![rule]));
    assert_eq!(task.owner.as_str(), from);
}

fn owned_by(owner: &str) -> Namespace {
    let mut ns = Namespace::new();
    ns.grant(create("t", owner));
    ns
}

#[test]
fn four_hand_offs_between_the_same_two_are_allowed_and_the_fifth_is_refused() {
    let mut ns = owned_by("a");
    goes(&mut ns, &["a", "b", "a", "b", "a"]);
    is_refused(&mut ns, "a", "b", "ping_pong");
    goes(&mut ns, &["a", "c"]);
}

#[test]
fn a_refused_hand_off_does_not_count_as_a_passage() {
    let mut ns = owned_by("a");
    goes(&mut ns, &["a", "b", "a", "b"]);
    for _ in 0..9 {
        is_refused(&mut ns, "b", "b", "self_handoff");
    }
    goes(&mut ns, &["b", "a"]);
    is_refused(&mut ns, "a", "b", "ping_pong");
}

#[test]
fn the_same_two_may_again_once_others_have_pushed_them_out_of_the_window() {
    let mut ns = owned_by("a");
    goes(&mut ns, &["a", "b", "a", "b", "a"]);
    goes(&mut ns, &["a", "c", "d", "a"]);
    is_refused(&mut ns, "a", "b", "ping_pong");
    let mut ns = owned_by("a");
    goes(&mut ns, &["a", "b", "a", "b", "a"]);
    goes(&mut ns, &["a", "c", "d", "e", "a", "b"]);
}

#[test]
fn a_task_is_handed_on_32_times_and_not_a_33rd_time() {
    let mut ns = owned_by("a");
    for _ in 0..8 {
        goes(&mut ns, &["a", "b", "c", "d", "a"]);
    }
    assert_eq!(ns.task("t").task.handoff_count, limits::HANDOFFS_PER_TASK_MAX);
    is_refused(&mut ns, "a", "b", "too_many_handoffs");
    assert_eq!(ns.task("t").task.handoff_count, 32);
}
