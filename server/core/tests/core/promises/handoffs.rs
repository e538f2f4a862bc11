//! One hand-off, one event: owner, epoch, state, history and outcome together, or nothing but the trace of the attempt.

use baton_core::{
    Action, BuiltInRule, Command, ConflictPolicy, Context, ContextParts, Draft, Event, Handoff, HandoffId,
    HandoffStatus, Misfit, Outcome, Proposal, Rejection, Revision, State, StepName, StepStatus, TaskChange,
    TaskStatus, execute, replay,
};

use crate::{
    namespace::{Namespace, SECOND_US},
    words::{all_keys, create, hand_off, initiate, keys, know, nothing, object, proposal, switch},
};

/// A task `t` of `a`, which knows something.
fn ready() -> Namespace {
    let mut ns = Namespace::new();
    ns.grant(create("t", "a"));
    ns.grant(know("a", object(r#"{"k":1}"#)));
    ns
}

fn steps(handoff: &Handoff) -> Vec<(StepName, StepStatus)> {
    handoff.steps().into_iter().map(|step| (step.name, step.status)).collect()
}

#[test]
fn a_completed_hand_off_changes_owner_epoch_state_and_history_in_one_revision() {
    let mut ns = ready();
    let context = Some(Context::from(&ContextParts { summary: "half done", ..ContextParts::default() }));
    let asked = Proposal { context: context.clone(), owner_epoch: Some(1), ..proposal("t", "a", "b") };
    let (handoff, task) = ns.handoff(Action::HandOff(asked));
    let revision = Revision(3);
    assert_eq!((handoff.id, handoff.revision, ns.state.head()), (HandoffId(revision), revision, revision));
    assert_eq!((handoff.status, handoff.owner_epoch), (HandoffStatus::Completed, 2));
    assert_eq!(handoff.context, context);
    assert_eq!((task.status, task.owner.as_str(), task.owner_epoch), (TaskStatus::HandedOff, "b", 2));
    assert_eq!((task.revision, task.handoff_count), (revision, 1));
    assert_eq!((ns.known_by("b"), ns.agent("b").state.revision), (object(r#"{"k":1}"#), revision));
    assert_eq!(ns.task("t").history.entries()[1].what, TaskChange::Handoff(handoff));
}

#[test]
fn a_failed_hand_off_leaves_owner_epoch_and_states_untouched_and_a_trace() {
    let mut ns = ready();
    ns.grant(know("b", object(r#"{"k":2}"#)));
    let (agents, task) = (["a", "b"].map(|agent| ns.agent(agent).state.clone()), ns.task("t").task);
    let asked = Proposal { transfer: all_keys(ConflictPolicy::Fail), ..proposal("t", "a", "b") };
    let (handoff, after) = ns.handoff(Action::HandOff(asked));
    assert_eq!((handoff.status, handoff.failed_step), (HandoffStatus::Failed, Some(StepName::StateTransfer)));
    assert_eq!(handoff.owner_epoch, 1);
    assert_eq!(["a", "b"].map(|agent| ns.agent(agent).state.clone()), agents);
    assert_eq!((&after.owner, after.owner_epoch, after.status), (&task.owner, task.owner_epoch, task.status));
    assert_eq!((after.handoff_count, after.open_handoff), (0, None));
    assert_eq!(ns.task("t").history.entries()[1].what, TaskChange::Handoff(handoff));
}

#[test]
fn a_refused_hand_off_is_recorded_with_all_that_was_found() {
    let mut ns = ready();
    let (handoff, task) = ns.handoff(hand_off("t", "b", "b"));
    let told: Vec<&str> = handoff.verdict.errors.iter().map(|error| error.message.as_str()).collect();
    let expected = [
        "b would hand the task to itself; name another receiver",
        "task t is owned by a (epoch 1), not by b",
    ];
    assert_eq!((handoff.status, told.as_slice()), (HandoffStatus::Rejected, &expected[..]));
    assert_eq!((task.owner.as_str(), task.owner_epoch), ("a", 1));
    assert_eq!(ns.state.handoff(handoff.id), Some(handoff.clone()));
    assert_eq!(ns.task("t").history.entries()[1].what, TaskChange::Handoff(handoff));
}

#[test]
fn a_hand_off_of_an_unknown_task_leaves_no_trace() {
    for action in [hand_off("nowhere", "a", "b"), initiate("nowhere", "a", "b")] {
        let rejection = ready().refuse(action);
        assert_eq!(rejection.to_string(), "task nowhere does not exist, so it cannot be handed on");
    }
}

#[test]
fn the_steps_of_a_hand_off_tell_how_far_it_came() {
    use StepName::{StateTransfer, TaskTransfer, Validation};
    use StepStatus::{Completed, Failed, Skipped};
    let with = |transfer| Action::HandOff(Proposal { transfer, ..proposal("t", "a", "b") });
    let table: [(Action, &[(StepName, StepStatus)]); 5] = [
        (
            hand_off("t", "a", "b"),
            &[(Validation, Completed), (StateTransfer, Completed), (TaskTransfer, Completed)],
        ),
        (with(nothing()), &[(Validation, Completed), (StateTransfer, Skipped), (TaskTransfer, Completed)]),
        (with(keys(&["no"], ConflictPolicy::Keep)), &[(Validation, Completed), (StateTransfer, Failed)]),
        (hand_off("t", "b", "a"), &[(Validation, Failed)]),
        (initiate("t", "a", "b"), &[(Validation, Completed)]),
    ];
    for (action, expected) in table {
        let (handoff, _) = ready().handoff(action);
        assert_eq!(steps(&handoff), expected, "{handoff:?}");
        for step in handoff.steps() {
            assert_eq!(!step.error.is_empty(), step.status == Failed);
        }
    }
}

#[test]
fn a_hand_off_begins_when_its_request_arrives_and_never_after_its_end() {
    let ns = ready();
    for (received_us, created_us) in [(7, 7), (9 * SECOND_US, 5 * SECOND_US)] {
        let command = Command::new("", received_us, hand_off("t", "a", "b"));
        let outcome = execute(&mut Draft::new(&ns.state), &command, 5 * SECOND_US).unwrap();
        let Some(Event::Handoff(event)) = outcome.event() else { panic!() };
        assert_eq!(event.handoff.created_us, created_us);
        assert_eq!(
            (event.handoff.judged_us, event.handoff.completed_us),
            (5 * SECOND_US, Some(5 * SECOND_US))
        );
    }
}

#[test]
fn an_agent_may_hand_to_itself_once_the_rule_is_off_and_keeps_what_it_knows() {
    let mut ns = ready();
    ns.grant(switch(BuiltInRule::SelfHandoff, false));
    let (handoff, task) = ns.handoff(hand_off("t", "a", "a"));
    assert_eq!((handoff.status, task.owner.as_str(), task.owner_epoch), (HandoffStatus::Completed, "a", 2));
    assert_eq!(ns.known_by("a"), object(r#"{"k":1}"#));
}

#[test]
fn a_batch_that_is_dropped_has_not_happened() {
    let ns = ready();
    let before = ns.state.to_checkpoint();
    let mut draft = Draft::new(&ns.state);
    execute(&mut draft, &Command::new("r", 1, hand_off("t", "a", "b")), 1).unwrap();
    assert_eq!(draft.task(&"t".into()).unwrap().owner.as_str(), "b");
    drop(draft);
    assert!(ns.state.to_checkpoint() == before);
}

#[test]
fn an_entry_that_does_not_fit_what_is_before_it_is_refused() {
    let mut ns = ready();
    let Outcome::Recorded(entry, _) = ns.send("", hand_off("t", "a", "b")).unwrap() else { panic!() };
    let entry = (*entry).into();
    let misfit = |state: &State| replay(&mut Draft::new(state), &entry, 1).unwrap_err();
    let without_task = Misfit { revision: Revision(1), what: "task t does not exist".into() };
    assert_eq!(misfit(&State::default()), without_task);
    let mut other = Namespace::new();
    other.grant(create("t", "a"));
    let without_state = Misfit { revision: Revision(2), what: "a has no state of revision 2".into() };
    assert_eq!(misfit(&other.state), without_state);
}

#[test]
fn hand_offs_are_listed_in_the_order_in_which_they_were_made() {
    let mut ns = ready();
    for (from, to) in [("a", "b"), ("x", "y"), ("b", "c")] {
        ns.grant(hand_off("t", from, to));
    }
    let ids = |revisions: &[u64]| {
        revisions.iter().map(|revision| HandoffId(Revision(*revision))).collect::<Vec<_>>()
    };
    let id = |revision| Some(HandoffId(Revision(revision)));
    let after = |after| ns.state.handoffs_after(after).map(|handoff| handoff.id).collect::<Vec<_>>();
    let before = |before| ns.state.handoffs_before(before).map(|handoff| handoff.id).collect::<Vec<_>>();
    assert_eq!((after(None), after(id(3)), after(id(5))), (ids(&[3, 4, 5]), ids(&[4, 5]), ids(&[])));
    assert_eq!((before(None), before(id(5)), before(id(3))), (ids(&[5, 4, 3]), ids(&[4, 3]), ids(&[])));
}

#[test]
fn refusals_speak_in_lower_case_without_a_full_stop() {
    let mut ns = ready();
    let refused: Vec<Rejection> = [
        create("t", "a"),
        crate::words::touch("nowhere"),
        crate::words::end("t", baton_core::End::Complete),
        crate::words::execute(HandoffId(Revision(9))),
        crate::words::transfer("x", "a", nothing()),
        switch(BuiltInRule::UnknownTask, false),
    ]
    .into_iter()
    .map(|action| ns.refuse(action))
    .collect();
    for text in refused.iter().map(ToString::to_string) {
        assert!(text.starts_with(char::is_lowercase) && !text.ends_with('.'), "{text}");
    }
}

#[test]
fn a_refused_or_failed_hand_off_leaves_the_revision_that_its_owner_holds() {
    let mut ns = Namespace::new();
    ns.grant(create("t", "a"));
    let seen = ns.task("t").task;
    let refused = hand_off("t", "stranger", "b");
    let moving = keys(&["missing"], ConflictPolicy::Overwrite);
    let failed = Action::HandOff(Proposal { transfer: moving, ..proposal("t", "a", "b") });
    for (action, status) in [(refused, HandoffStatus::Rejected), (failed, HandoffStatus::Failed)] {
        let (handoff, task) = ns.handoff(action);
        assert_eq!((handoff.status, &*task), (status, &*seen));
        let history = &ns.task("t").history;
        assert_eq!(history.entries().back().map(|entry| entry.revision), Some(handoff.revision));
    }
}
