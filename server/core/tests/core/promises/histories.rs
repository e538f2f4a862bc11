//! Histories are bounded, and say how much is no longer kept.

use baton_core::{HandoffStatus, Revision, StateChangeKind, TaskChange, limits};

use crate::{
    namespace::Namespace,
    words::{create, execute, hand_off, initiate, know, object, touch, withdraw},
};

#[test]
fn of_a_long_task_history_the_newest_10_000_are_kept_and_the_others_counted() {
    let mut ns = Namespace::new();
    ns.grant(create("t", "a"));
    for _ in 1..limits::TASK_HISTORY_MAX {
        ns.grant(touch("t"));
    }
    let history = &ns.task("t").history;
    assert_eq!((history.entries().len(), history.dropped()), (10_000, 0));
    assert_eq!(history.entries()[0].what, TaskChange::Created);
    for _ in 0..3 {
        ns.grant(touch("t"));
    }
    let history = &ns.task("t").history;
    assert_eq!((history.entries().len(), history.dropped()), (10_000, 3));
    assert_eq!(history.entries()[0].revision.0, 4);
    assert_eq!(history.entries()[9_999].revision, ns.state.head());
}

#[test]
fn of_a_long_state_history_the_newest_100_are_kept_and_the_others_counted() {
    let mut ns = Namespace::new();
    for number in 1..=103 {
        ns.grant(know("a", object(&format!(r#"{{"k": {number}}}"#))));
    }
    let history = &ns.agent("a").history;
    assert_eq!((history.entries().len(), history.dropped()), (limits::STATE_HISTORY_MAX, 3));
    assert_eq!((history.entries()[0].revision.0, history.entries()[99].revision.0), (4, 103));
    let oldest = &history.entries()[0];
    assert!(
        matches!(&oldest.how, StateChangeKind::Updated { update, .. } if *update == object(r#"{"k": 4}"#))
    );
}

#[test]
fn a_closed_hand_off_leaves_with_the_last_line_that_tells_of_it() {
    let mut ns = Namespace::new();
    ns.grant(create("t", "a"));
    let (closed, _) = ns.handoff(hand_off("t", "a", "b"));
    for _ in 2..=limits::TASK_HISTORY_MAX {
        ns.grant(touch("t"));
    }
    assert!(ns.state.handoff(closed.id).is_some());
    ns.grant(touch("t"));
    assert!(ns.state.handoff(closed.id).is_none());
    assert_eq!(ns.state.handoffs_after(None).count(), 0);
}

#[test]
fn an_open_hand_off_outlives_its_line_in_a_long_history() {
    for close in [execute, withdraw] {
        let mut ns = Namespace::new();
        ns.grant(create("t", "a"));
        let open = ns.handoff(initiate("t", "a", "b")).0.id;
        for _ in 0..=limits::TASK_HISTORY_MAX {
            ns.grant(touch("t"));
        }
        assert!(ns.state.handoff(open).is_some(), "the task still names {open}");
        let (_, task) = ns.handoff(close(open));
        assert_eq!(task.open_handoff, None);
    }
}

#[test]
fn an_open_hand_off_that_outlived_its_line_leaves_once_it_is_closed() {
    let mut ns = Namespace::new();
    ns.grant(create("t", "a"));
    let (open, _) = ns.handoff(initiate("t", "a", "b"));
    for _ in 0..=limits::TASK_HISTORY_MAX {
        ns.grant(touch("t"));
    }
    ns.grant(withdraw(open.id));
    for _ in 1..=limits::TASK_HISTORY_MAX {
        assert_eq!(ns.state.handoff(open.id).unwrap().status, HandoffStatus::Withdrawn);
        ns.grant(touch("t"));
    }
    assert!(ns.state.handoff(open.id).is_none());
}

#[test]
fn a_line_tells_a_hand_off_as_it_was_however_many_lines_came_after_it() {
    for (between, unpacked_changes_max) in [0, 6, 7, 8, 9, 30].into_iter().zip([0, 4_096].into_iter().cycle())
    {
        let mut ns = Namespace::new();
        ns.state.set_unpacked_changes_max(unpacked_changes_max);
        ns.grant(create("t", "a"));
        let (open, _) = ns.handoff(initiate("t", "a", "b"));
        for _ in 0..between {
            ns.grant(touch("t"));
        }
        let (closed, _) = ns.handoff(withdraw(open.id));
        ns.grant(touch("t"));
        let history = ns.task("t").history;
        let told: Vec<_> = history.entries().iter().map(|entry| entry.what.clone()).collect();
        let mut expected = vec![TaskChange::Created, TaskChange::Handoff(open)];
        expected.extend(vec![TaskChange::Updated; between]);
        expected.extend([TaskChange::Handoff(closed), TaskChange::Updated]);
        assert_eq!(told, expected, "{between} between");
    }
}

#[test]
fn the_lines_after_a_revision_are_those_that_a_reader_has_not_seen() {
    for unpacked_changes_max in [0, 4_096] {
        let mut ns = Namespace::new();
        ns.state.set_unpacked_changes_max(unpacked_changes_max);
        ns.grant(create("t", "a"));
        for _ in 1..40 {
            ns.grant(touch("t"));
        }
        let history = ns.state.task_history("t").unwrap();
        for last in 0..=41 {
            let told: Vec<u64> = history.after(Revision(last)).map(|entry| entry.revision.0).collect();
            assert_eq!(told, (last + 1..=40).collect::<Vec<_>>(), "after {last}");
        }
    }
}
