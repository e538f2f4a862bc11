//! Each rule refuses what it is for, alone or with others, and only while it is in force.
use baton_core::{
    Action, BuiltInRule, Context, ContextParts, End, HandoffStatus, Proposal, Rejection, Text, Verdict,
    limits,
};

use crate::{
    namespace::Namespace,
    words::{BIG_BYTES, big, create, create_with, end, hand_off, initiate, know, proposal, switch},
};

/// A task `t` of `a` that may be handed to `b`.
fn ready() -> Namespace {
    let mut ns = Namespace::new();
    ns.grant(create("t", "a"));
    ns
}

fn context(bytes: usize) -> Option<Context> {
    Some(Context::from(&ContextParts { pitfalls: vec![&"c".repeat(bytes)], ..ContextParts::default() }))
}

/// `t` goes back and forth until it was handed on `count` times; then `a` has it.
fn passed_on(ns: &mut Namespace, count: u32) {
    for _ in 0..count / 4 {
        for (from, to) in [("a", "x"), ("x", "y"), ("y", "z"), ("z", "a")] {
            assert_eq!(ns.handoff(hand_off("t", from, to)).0.status, HandoffStatus::Completed);
        }
    }
}

fn know_much(ns: &mut Namespace, bytes: usize) {
    ns.grant(know("a", big(bytes - BIG_BYTES)));
}

fn rules_of(verdict: &Verdict) -> Vec<BuiltInRule> {
    verdict.errors.iter().map(|error| BuiltInRule::by_name(&error.rule).unwrap()).collect()
}

/// A namespace and a proposal to which exactly one rule objects.
fn refused_by(rule: BuiltInRule) -> (Namespace, Proposal) {
    let mut ns = ready();
    let mut asked = proposal("t", "a", "b");
    match rule {
        BuiltInRule::ContextSize => asked.context = context(limits::RULE_CONTEXT_BYTES_MAX + 1),
        BuiltInRule::EmptyReason => asked.reason = Text::from(" \t\n"),
        BuiltInRule::FinishedTask => _ = ns.grant(end("t", End::Cancel)),
        BuiltInRule::MetadataSize => {
            let bytes = limits::RULE_METADATA_BYTES_MAX + 1 - BIG_BYTES;
            ns.grant(create_with("large", "a", big(bytes)));
            asked = proposal("large", "a", "b");
        }
        BuiltInRule::NotOwner => asked = proposal("t", "c", "b"),
        BuiltInRule::OpenHandoff => _ = ns.grant(initiate("t", "a", "c")),
        BuiltInRule::PingPong => {
            for (from, to) in [("a", "b"), ("b", "a"), ("a", "b"), ("b", "a")] {
                ns.grant(hand_off("t", from, to));
            }
        }
        BuiltInRule::SelfHandoff => asked = proposal("t", "a", "a"),
        BuiltInRule::StaleOwner => asked.owner_epoch = Some(0),
        BuiltInRule::StateSize => know_much(&mut ns, limits::RULE_STATE_BYTES_MAX + 1),
        BuiltInRule::TooManyHandoffs => passed_on(&mut ns, limits::HANDOFFS_PER_TASK_MAX),
        BuiltInRule::UnknownTask => asked = proposal("nowhere", "a", "b"),
    }
    (ns, asked)
}

#[test]
fn a_hand_off_to_which_no_rule_objects_is_completed() {
    let (handoff, _) = ready().handoff(hand_off("t", "a", "b"));
    assert_eq!((handoff.status, handoff.verdict.is_valid()), (HandoffStatus::Completed, true));
}

#[test]
fn each_rule_refuses_what_it_is_for_and_nothing_else_does() {
    for rule in BuiltInRule::ALL {
        let (mut ns, asked) = refused_by(rule);
        let verdict = match rule {
            BuiltInRule::UnknownTask => match ns.refuse(Action::HandOff(asked)) {
                Rejection::HandoffOfUnknownTask { verdict, .. } => verdict,
                other => panic!("{other}"),
            },
            _ => {
                let (handoff, _) = ns.handoff(Action::HandOff(asked));
                assert_eq!(handoff.status, HandoffStatus::Rejected, "{}", rule.name());
                handoff.verdict.clone()
            }
        };
        assert_eq!(rules_of(&verdict), [rule]);
    }
}

#[test]
fn each_rule_refuses_an_initiation_as_it_refuses_the_whole() {
    for rule in BuiltInRule::ALL.into_iter().filter(|rule| *rule != BuiltInRule::UnknownTask) {
        let (mut ns, asked) = refused_by(rule);
        let open = ns.task(&asked.task_id).task.open_handoff;
        let (handoff, task) = ns.handoff(Action::InitiateHandoff(asked));
        assert_eq!((handoff.status, rules_of(&handoff.verdict)), (HandoffStatus::Rejected, vec![rule]));
        assert_eq!(task.open_handoff, open);
    }
}

#[test]
fn a_rule_that_is_switched_off_refuses_nothing_until_it_is_on_again() {
    for rule in BuiltInRule::ALL.into_iter().filter(|rule| rule.is_switchable()) {
        let (mut ns, asked) = refused_by(rule);
        ns.grant(switch(rule, false));
        assert!(!ns.state.rules().is_on(rule));
        let mut off = ns.clone();
        let (handoff, task) = off.handoff(Action::HandOff(asked.clone()));
        assert_eq!(handoff.status, HandoffStatus::Completed, "{}: {:?}", rule.name(), handoff.verdict);
        assert_eq!(task.owner, asked.to);
        ns.grant(switch(rule, true));
        let (handoff, _) = ns.handoff(Action::HandOff(asked));
        assert_eq!((handoff.status, rules_of(&handoff.verdict)), (HandoffStatus::Rejected, vec![rule]));
    }
}

#[test]
fn what_guards_the_logs_truth_cannot_be_switched_off() {
    let mut ns = Namespace::new();
    for rule in [BuiltInRule::UnknownTask, BuiltInRule::StaleOwner, BuiltInRule::OpenHandoff] {
        assert_eq!(ns.refuse(switch(rule, false)), Rejection::RuleNotSwitchable { rule });
        ns.grant(switch(rule, true));
        assert!(ns.state.rules().is_on(rule));
    }
}

/// Everything is wrong at once with what is asked.
fn all_wrong() -> (Namespace, Proposal) {
    let mut ns = Namespace::new();
    let switchable = || BuiltInRule::ALL.into_iter().filter(|rule| rule.is_switchable());
    for rule in switchable() {
        ns.grant(switch(rule, false));
    }
    ns.grant(create_with("t", "a", big(limits::RULE_METADATA_BYTES_MAX)));
    know_much(&mut ns, limits::RULE_STATE_BYTES_MAX + 1);
    for _ in 1..limits::HANDOFFS_PER_TASK_MAX {
        ns.grant(hand_off("t", "a", "a"));
    }
    ns.grant(hand_off("t", "a", "b"));
    ns.grant(initiate("t", "b", "c"));
    ns.grant(end("t", End::Cancel));
    for rule in switchable() {
        ns.grant(switch(rule, true));
    }
    let context = context(limits::RULE_CONTEXT_BYTES_MAX + 1);
    let asked =
        Proposal { reason: Text::default(), owner_epoch: Some(1), context, ..proposal("t", "a", "a") };
    (ns, asked)
}

#[test]
fn all_violations_are_told_at_once_and_one_less_for_each_rule_that_is_off() {
    let (ns, asked) = all_wrong();
    let of_a_known_task = || BuiltInRule::ALL.into_iter().filter(|rule| *rule != BuiltInRule::UnknownTask);
    let found = |ns: &mut Namespace| {
        let (handoff, _) = ns.handoff(Action::HandOff(asked.clone()));
        let mut found = rules_of(&handoff.verdict);
        found.sort();
        found
    };
    assert_eq!(found(&mut ns.clone()), of_a_known_task().collect::<Vec<_>>());
    for off in of_a_known_task().filter(|rule| rule.is_switchable()) {
        let mut ns = ns.clone();
        ns.grant(switch(off, false));
        assert_eq!(found(&mut ns), of_a_known_task().filter(|rule| *rule != off).collect::<Vec<_>>());
    }
}

#[test]
fn all_that_is_wrong_with_a_hand_off_of_an_unknown_task_is_told_too() {
    let (mut ns, asked) = all_wrong();
    let asked = Proposal { task_id: "nowhere".into(), ..asked };
    let Rejection::HandoffOfUnknownTask { verdict, .. } = ns.refuse(Action::HandOff(asked)) else { panic!() };
    let expected = [
        BuiltInRule::EmptyReason,
        BuiltInRule::SelfHandoff,
        BuiltInRule::ContextSize,
        BuiltInRule::UnknownTask,
        BuiltInRule::StateSize,
    ];
    assert_eq!(rules_of(&verdict), expected);
}

#[test]
fn what_is_exactly_at_a_limit_is_allowed() {
    let mut ns = Namespace::new();
    ns.grant(create_with("t", "a", big(limits::RULE_METADATA_BYTES_MAX - BIG_BYTES)));
    know_much(&mut ns, limits::RULE_STATE_BYTES_MAX);
    let asked = Proposal { context: context(limits::RULE_CONTEXT_BYTES_MAX), ..proposal("t", "a", "b") };
    let (handoff, _) = ns.handoff(Action::HandOff(asked));
    assert_eq!(handoff.status, HandoffStatus::Completed, "{:?}", handoff.verdict);
}

#[test]
fn only_the_state_that_moves_counts_for_its_size() {
    for spec in [crate::words::nothing(), crate::words::keys(&["small"], Default::default())] {
        let mut ns = ready();
        know_much(&mut ns, limits::RULE_STATE_BYTES_MAX + 1);
        ns.grant(know("a", crate::words::object(r#"{"small": 1}"#)));
        let asked = Proposal { transfer: spec, ..proposal("t", "a", "b") };
        assert_eq!(ns.handoff(Action::HandOff(asked)).0.status, HandoffStatus::Completed);
    }
}

#[test]
fn rules_are_found_by_their_names_and_stand_in_their_order() {
    let names: Vec<&str> = BuiltInRule::ALL.iter().map(|rule| rule.name()).collect();
    assert!(names.is_sorted());
    for rule in BuiltInRule::ALL {
        assert_eq!(BuiltInRule::by_name(rule.name()), Some(rule));
    }
    assert_eq!(BuiltInRule::by_name("no_such_rule"), None);
}
