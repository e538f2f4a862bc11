//! The life of a task: which step is allowed in which status.

use baton_core::{
    Action, Command, Draft, End, HandoffStatus, Rejection, State, TaskChange, TaskStatus, execute,
};

use crate::{
    namespace::{Namespace, SECOND_US},
    words::{create, create_with, end, hand_off, object, start, touch},
};

const STATUSES: [TaskStatus; 6] = [
    TaskStatus::Pending,
    TaskStatus::InProgress,
    TaskStatus::HandedOff,
    TaskStatus::Completed,
    TaskStatus::Failed,
    TaskStatus::Cancelled,
];

/// A task `t` of `a` in `status`.
fn task_in(status: TaskStatus) -> Namespace {
    let mut ns = Namespace::new();
    let way: &[Action] = match status {
        TaskStatus::Pending => &[create("t", "a")],
        TaskStatus::InProgress => &[create("t", "a"), start("t")],
        TaskStatus::HandedOff => &[create("t", "z"), hand_off("t", "z", "a")],
        TaskStatus::Completed => &[create("t", "a"), start("t"), end("t", End::Complete)],
        TaskStatus::Failed => &[create("t", "a"), start("t"), end("t", End::Fail)],
        TaskStatus::Cancelled => &[create("t", "a"), end("t", End::Cancel)],
    };
    for step in way {
        ns.grant(step.clone());
    }
    assert_eq!(ns.task("t").task.status, status);
    ns
}

#[test]
fn a_step_is_allowed_in_its_statuses_and_elsewhere_refused_naming_both() {
    use TaskStatus::{Cancelled, Completed, Failed, HandedOff, InProgress, Pending};
    let table: [(Action, TaskStatus, &[TaskStatus]); 4] = [
        (start("t"), InProgress, &[Pending, HandedOff]),
        (end("t", End::Complete), Completed, &[InProgress]),
        (end("t", End::Fail), Failed, &[InProgress]),
        (end("t", End::Cancel), Cancelled, &[Pending, InProgress, HandedOff]),
    ];
    for (step, wanted, allowed) in table {
        for status in STATUSES {
            let mut ns = task_in(status);
            if allowed.contains(&status) {
                ns.grant(step.clone());
                assert_eq!(ns.task("t").task.status, wanted);
                continue;
            }
            let rejection = ns.refuse(step.clone());
            assert_eq!(rejection, Rejection::WrongTaskStatus { task_id: "t".into(), status, wanted });
            let told = format!("task t is {status} and cannot become {wanted}");
            assert!(rejection.to_string().starts_with(&told), "{rejection}");
        }
    }
}

#[test]
fn a_change_without_a_start_keeps_the_status_and_is_refused_once_the_task_is_finished() {
    for status in STATUSES {
        let mut ns = task_in(status);
        if status.is_finished() {
            let wanted = TaskStatus::InProgress;
            let expected = Rejection::WrongTaskStatus { task_id: "t".into(), status, wanted };
            assert_eq!(ns.refuse(touch("t")), expected);
        } else {
            ns.grant(touch("t"));
            assert_eq!(ns.task("t").task.status, status);
        }
    }
}

#[test]
fn a_task_is_handed_on_until_it_is_finished() {
    for status in STATUSES {
        let mut ns = task_in(status);
        let (handoff, task) = ns.handoff(hand_off("t", "a", "b"));
        if status.is_finished() {
            assert_eq!((handoff.status, task.status), (HandoffStatus::Rejected, status));
            let told = format!("task t is {status}; only a task that is pending, in_progress or handed_off");
            assert!(handoff.verdict.errors[0].message.starts_with(&told), "{:?}", handoff.verdict);
        } else {
            assert_eq!((handoff.status, task.status), (HandoffStatus::Completed, TaskStatus::HandedOff));
        }
    }
}

#[test]
fn a_task_id_is_taken_whatever_became_of_its_task() {
    for status in STATUSES {
        let mut ns = task_in(status);
        let revision = ns.task("t").task.revision;
        assert_eq!(ns.refuse(create("t", "b")), Rejection::TaskExists { task_id: "t".into(), revision });
    }
}

#[test]
fn a_task_that_does_not_exist_takes_no_step() {
    for step in [touch("t"), start("t"), end("t", End::Complete), end("t", End::Fail), end("t", End::Cancel)]
    {
        assert_eq!(Namespace::new().refuse(step), Rejection::TaskNotFound { task_id: "t".into() });
    }
}

#[test]
fn a_new_task_is_pending_and_its_owners_at_epoch_1() {
    let mut ns = Namespace::new();
    ns.grant(create_with("t", "a", object(r#"{"order": 17}"#)));
    let task = &ns.task("t").task;
    assert_eq!((task.status, task.owner.as_str(), task.owner_epoch), (TaskStatus::Pending, "a", 1));
    assert_eq!((task.created_us, task.updated_us), (SECOND_US, SECOND_US));
    assert_eq!((task.handoff_count, task.open_handoff, &task.progress), (0, None, &None));
    assert_eq!(task.metadata, object(r#"{"order": 17}"#));
}

#[test]
fn the_history_of_a_task_tells_each_step() {
    let mut ns = Namespace::new();
    let steps = [create("t", "a"), touch("t"), start("t"), hand_off("t", "a", "b"), end("t", End::Cancel)];
    for step in steps {
        ns.grant(step);
    }
    let record = ns.task("t");
    let told: Vec<_> = record.history.entries().iter().collect();
    let revisions: Vec<u64> = told.iter().map(|entry| entry.revision.0).collect();
    let owners: Vec<(&str, u64)> = told.iter().map(|entry| (&*entry.owner, entry.owner_epoch)).collect();
    assert_eq!(revisions, [1, 2, 3, 4, 5]);
    assert_eq!(owners, [("a", 1), ("a", 1), ("a", 1), ("b", 2), ("b", 2)]);
    assert_eq!((&told[0].what, &told[1].what), (&TaskChange::Created, &TaskChange::Updated));
    assert_eq!(told[2].what, TaskChange::Started);
    assert!(matches!(&told[3].what, TaskChange::Handoff(handoff) if handoff.to.as_str() == "b"));
    assert_eq!(told[4].what, TaskChange::Ended("that is how".into()));
}

#[test]
fn commands_of_one_batch_see_those_before_them_and_nobody_else_does() {
    let state = State::default();
    let mut draft = Draft::new(&state);
    for action in [create("t", "a"), start("t"), hand_off("t", "a", "b"), start("t"), end("t", End::Complete)]
    {
        execute(&mut draft, &Command::new("", 1, action), 1).unwrap();
    }
    assert_eq!(draft.task(&"t".into()).unwrap().status, TaskStatus::Completed);
    assert!(state.task("t").is_none());
}
