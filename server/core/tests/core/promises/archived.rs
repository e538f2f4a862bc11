//! Finished tasks that rest can be taken out of a state, and nobody can tell once they are lent to those who ask.

use baton_core::{
    ArchivedTask, BuiltInRule, CHECKPOINT_FORMAT, Command, Draft, End, HandoffStatus, Outcome, Rejection,
    RequestMemory, State, Subject, TaskId, archived_handoff, archived_task, execute,
};

use crate::{
    namespace::Namespace,
    words::{create, end, hand_off, initiate, start, switch, touch, withdraw},
};

/// A namespace that packs at once, with a finished task of two hand-offs, one that is finished with an open hand-off, and one under way.
fn with_finished() -> Namespace {
    let mut ns = Namespace::new();
    ns.state.set_unpacked_changes_max(0);
    for task in ["done", "waiting", "live"] {
        ns.grant(create(task, "a"));
    }
    ns.grant(hand_off("done", "a", "b"));
    ns.grant(hand_off("done", "b", "nobody's friend"));
    ns.grant(hand_off("done", "a", "b"));
    ns.grant(end("done", End::Cancel));
    ns.grant(initiate("waiting", "a", "b"));
    ns.grant(end("waiting", End::Cancel));
    ns.grant(hand_off("live", "a", "b"));
    ns
}

fn resting(state: &State) -> Vec<ArchivedTask> {
    state.resting(None).collect()
}

/// Takes `done` out.
fn without_done(ns: &mut Namespace) -> ArchivedTask {
    let done = resting(&ns.state).remove(0);
    assert!(ns.state.forget(&done.id, done.revision));
    done
}

/// Sends `action` to a draft that was lent `archived`.
fn send(
    ns: &mut Namespace,
    archived: &ArchivedTask,
    action: baton_core::Action,
) -> Result<Outcome, Rejection> {
    let mut draft = Draft::new(&ns.state);
    let command = Command::new("", 0, action);
    assert!(draft.lacks(command.action.subject().unwrap()));
    draft.recall(archived.clone());
    let outcome = execute(&mut draft, &command, ns.now_us)?;
    let changes = draft.into_changes();
    ns.state.absorb(changes);
    Ok(outcome)
}

#[test]
fn a_task_that_a_batch_under_way_brings_back_is_there_for_the_next_with_its_handoffs() {
    let mut ns = with_finished();
    ns.grant(switch(BuiltInRule::FinishedTask, false));
    let done = without_done(&mut ns);
    let closed = done.handoffs[0].0;
    for (action, comes_back) in [(hand_off("done", "b", "c"), true), (create("done", "a"), false)] {
        let mut draft = Draft::new(&ns.state);
        draft.recall(done.clone());
        assert_eq!(execute(&mut draft, &Command::new("", 0, action), ns.now_us).is_ok(), comes_back);
        let changes = draft.into_changes();
        let mut next = Draft::after(&ns.state, &changes, 1);
        for subject in [Subject::Task(&done.id), Subject::Handoff(closed)] {
            assert_eq!(next.lacks(subject), !comes_back, "what was only looked at stays where it is");
        }
        next.recall(done.clone());
        let refused = execute(&mut next, &Command::new("", 0, withdraw(closed)), ns.now_us).unwrap_err();
        assert!(matches!(refused, Rejection::WrongHandoffStatus { .. }), "{refused:?}");
    }
}

#[test]
fn only_finished_tasks_without_open_handoffs_are_taken_out() {
    let ns = with_finished();
    let ids: Vec<String> = resting(&ns.state).iter().map(|archived| archived.id.to_string()).collect();
    assert_eq!(ids, ["done"]);
    assert_eq!(ns.state.resting(Some("done")).count(), 0, "those after it only");
}

#[test]
fn a_task_that_was_changed_lately_is_not_taken_out() {
    let mut ns = with_finished();
    ns.state.set_unpacked_changes_max(1);
    ns.grant(create("newest", "a"));
    ns.grant(end("newest", End::Cancel));
    assert_eq!(resting(&ns.state).len(), 1, "done alone");
}

#[test]
fn a_task_that_nothing_changed_since_may_be_let_rest() {
    let mut ns = with_finished();
    ns.state.set_unpacked_changes_max(100);
    ns.grant(create("early", "a"));
    let handed_on = ns.handoff(hand_off("early", "a", "b")).0;
    ns.grant(end("early", End::Cancel));
    let until = ns.state.head();
    ns.grant(create("late", "a"));
    ns.grant(end("late", End::Cancel));
    let (before, snapshot) = (ns.state.to_checkpoint(), ns.state.snapshot());
    ns.state.rest_until(until);
    let ids = |state: &State| resting(state).into_iter().map(|task| task.id.to_string()).collect::<Vec<_>>();
    assert_eq!((ids(&snapshot), ids(&ns.state)), (vec!["done".into()], vec!["done".into(), "early".into()]));
    assert_eq!(resting(&ns.state)[1].handoff(handed_on.id).unwrap(), *handed_on);
    assert!(ns.state.to_checkpoint() == before, "resting changes nothing");
    ns.state.rest_until(ns.state.head());
    assert_eq!(ids(&ns.state), ["done", "early", "late"]);
}

#[test]
fn what_is_taken_out_can_be_read_by_itself() {
    let mut ns = with_finished();
    let (record, handoffs) = (ns.task("done"), ns.state.handoffs_after(None));
    let handoffs: Vec<_> = handoffs.filter(|handoff| handoff.task_id.as_str() == "done").collect();
    let done = without_done(&mut ns);
    assert_eq!(archived_task(&done.id, &done.body), *record.task);
    assert_eq!(done.handoffs.len(), 3);
    for (expected, (id, body)) in handoffs.iter().zip(&done.handoffs) {
        assert_eq!(archived_handoff(*id, body), **expected);
        assert_eq!(done.handoff(*id).unwrap(), **expected);
    }
    let read = done.record();
    assert_eq!((read.task, read.history), (record.task, record.history));
}

#[test]
fn nothing_of_what_was_taken_out_is_left_and_all_of_it_comes_back() {
    let mut ns = with_finished();
    let before = ns.state.to_checkpoint();
    let done = without_done(&mut ns);
    assert!(!ns.state.has_task("done"));
    assert!(ns.state.handoffs_after(None).all(|handoff| handoff.task_id.as_str() != "done"));
    assert_eq!((ns.state.task_count(), ns.state.archived_count()), (2, 1));
    let without = ns.state.to_checkpoint();
    assert!(without.len() < before.len());
    let restored = State::from_checkpoint(CHECKPOINT_FORMAT, &without, RequestMemory::default()).unwrap();
    assert_eq!(restored.archived_count(), 1);
    ns.state.recall(done);
    assert!(ns.state.to_checkpoint() == before);
}

#[test]
fn a_task_that_was_changed_since_stays() {
    let mut ns = with_finished();
    let done = resting(&ns.state).remove(0);
    ns.grant(hand_off("done", "b", "c"));
    let before = ns.state.to_checkpoint();
    assert!(!ns.state.forget(&done.id, done.revision), "its history has a newer entry");
    assert!(!ns.state.forget(&TaskId::from("unknown"), done.revision));
    assert!(ns.state.to_checkpoint() == before);
}

#[test]
fn a_state_without_archived_tasks_lacks_nothing() {
    let ns = with_finished();
    let unknown = TaskId::from("unknown");
    assert!(!Draft::new(&ns.state).lacks(Subject::Task(&unknown)));
}

#[test]
fn commands_about_a_task_that_is_out_are_answered_as_if_it_were_not() {
    let mut ns = with_finished();
    let closed = ns.state.handoffs_after(None).next().unwrap().id;
    let mut whole = ns.clone();
    let done = without_done(&mut ns);
    for action in
        [create("done", "a"), start("done"), touch("done"), end("done", End::Cancel), withdraw(closed)]
    {
        let expected = whole.refuse(action.clone());
        assert_eq!(send(&mut ns, &done, action).unwrap_err(), expected);
        assert_eq!(
            (ns.state.has_task("done"), ns.state.archived_count()),
            (false, 1),
            "looking changes nothing"
        );
    }
    let unknown =
        Draft::new(&ns.state).lacks(Subject::Handoff(baton_core::HandoffId(baton_core::Revision(1))));
    assert!(unknown, "it could be that of a task that is out");
}

#[test]
fn a_task_that_is_changed_comes_back_with_all_that_belongs_to_it() {
    let mut ns = with_finished();
    ns.grant(switch(BuiltInRule::FinishedTask, false));
    let mut whole = ns.clone();
    let done = without_done(&mut ns);
    // Refused as another owner's, which its history tells of; then granted, so that it lives again.
    for (index, action) in [hand_off("done", "c", "a"), hand_off("done", "b", "c")].into_iter().enumerate() {
        whole.grant(action.clone());
        if index == 0 {
            send(&mut ns, &done, action).unwrap();
        } else {
            ns.grant(action);
        }
        assert_eq!(ns.state.archived_count(), 0);
    }
    assert!(ns.state.handoffs_after(None).any(|handoff| handoff.status == HandoffStatus::Completed));
    ns.now_us = whole.now_us;
    let (task, expected) = (ns.task("done"), whole.task("done"));
    assert_eq!(task.history.entries().len(), expected.history.entries().len());
    assert_eq!(task.task.status, expected.task.status);
    assert_eq!(ns.state.handoffs_after(None).count(), whole.state.handoffs_after(None).count());
    ns.refuse(touch("unknown"));
}

#[test]
fn lending_what_the_draft_has_changes_nothing() {
    let mut ns = with_finished();
    let done = resting(&ns.state).remove(0);
    ns.grant(hand_off("done", "b", "c"));
    let newest = ns.task("done");
    let mut draft = Draft::new(&ns.state);
    draft.recall(done.clone());
    assert_eq!(draft.task(&done.id).unwrap(), newest.task);
    ns.state.recall(done);
    assert_eq!(ns.task("done").history, newest.history);
}
