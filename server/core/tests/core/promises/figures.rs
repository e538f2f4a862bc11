//! Figures about hand-offs: exact, percentiles by nearest rank.

use baton_core::{
    Action, Command, ConflictPolicy, Draft, Proposal, execute,
    summary::{Figures, Group, Grouping, Outcomes, Tally},
};

use crate::{
    namespace::{Namespace, SECOND_US},
    words::{create, hand_off, initiate, keys, proposal, withdraw},
};

#[test]
fn percentiles_are_by_nearest_rank() {
    let up_to = |count: u32| (1..=count).map(f64::from).collect::<Vec<_>>();
    let table: [(Vec<f64>, [f64; 3]); 9] = [
        (vec![7.0], [7.0, 7.0, 7.0]),
        (up_to(2), [1.0, 2.0, 2.0]),
        (up_to(3), [2.0, 3.0, 3.0]),
        (up_to(19), [10.0, 19.0, 19.0]),
        (up_to(20), [10.0, 19.0, 20.0]),
        (up_to(21), [11.0, 20.0, 21.0]),
        (up_to(100), [50.0, 95.0, 99.0]),
        (up_to(101), [51.0, 96.0, 100.0]),
        // The example of the method's usual account, and not in order.
        (vec![50.0, 15.0, 40.0, 20.0, 35.0], [35.0, 50.0, 50.0]),
    ];
    for (values, expected) in table {
        let Figures { count, p50, p95, p99, .. } = Figures::of(values.clone());
        assert_eq!((count as usize, [p50, p95, p99]), (values.len(), expected), "{values:?}");
    }
}

#[test]
fn total_average_min_and_max_are_those_of_the_values() {
    let Figures { count, total, average, min, max, .. } = Figures::of(vec![4.0, -1.0, 2.5, 2.5]);
    assert_eq!((count, total, average, min, max), (4, 8.0, 2.0, -1.0, 4.0));
}

#[test]
fn the_figures_of_nothing_are_all_0() {
    assert_eq!(Figures::of(Vec::new()), Figures::default());
    assert_eq!(Tally::new(Vec::new()).total().success_rate(), Figures::default());
}

/// One hand-off of each outcome: completed in 2 s, failed in 1 s, rejected by two rules, withdrawn, open.
fn one_of_each() -> Namespace {
    let mut ns = Namespace::new();
    for task in ["t-1", "t-2", "t-3"] {
        ns.grant(create(task, "a"));
    }
    let failing = Proposal { transfer: keys(&["no"], ConflictPolicy::Keep), ..proposal("t-2", "a", "c") };
    for (action, took_us) in
        [(hand_off("t-1", "a", "b"), 2 * SECOND_US), (Action::HandOff(failing), SECOND_US)]
    {
        let mut draft = Draft::new(&ns.state);
        execute(&mut draft, &Command::new("", 10 * SECOND_US, action), 10 * SECOND_US + took_us).unwrap();
        let changes = draft.into_changes();
        ns.state.absorb(changes);
    }
    ns.grant(hand_off("t-1", "x", "x"));
    let (withdrawn, _) = ns.handoff(initiate("t-3", "a", "b"));
    ns.grant(withdraw(withdrawn.id));
    ns.grant(initiate("t-3", "a", "b"));
    ns
}

fn tallied(ns: &Namespace, groupings: Vec<Grouping>) -> Tally {
    let mut tally = Tally::new(groupings);
    ns.state.handoffs_after(None).for_each(|handoff| tally.add(&handoff));
    tally
}

#[test]
fn each_outcome_counts_and_only_those_that_ended_are_in_the_figures() {
    let tally = tallied(&one_of_each(), Vec::new());
    let total = tally.total();
    assert_eq!(total.outcomes, Outcomes { completed: 1, failed: 1, rejected: 1, withdrawn: 1, open: 1 });
    assert_eq!((total.hand_off_count().count, total.hand_off_count().total), (4, 4.0));
    assert_eq!((total.success_rate().count, total.success_rate().average), (4, 0.25));
    let errors = total.validation_errors();
    assert_eq!((errors.count, errors.total, errors.max), (4, 2.0, 2.0));
}

#[test]
fn durations_are_those_of_executed_hand_offs_in_seconds() {
    let durations = tallied(&one_of_each(), Vec::new()).total().duration_seconds();
    assert_eq!((durations.count, durations.min, durations.max, durations.average), (2, 1.0, 2.0, 1.5));
}

#[test]
fn groups_come_largest_first_and_then_by_name() {
    let tally = tallied(&one_of_each(), vec![Grouping::Agent, Grouping::Pair, Grouping::Reason]);
    let of = |grouping| {
        let groups = tally.groups(grouping).into_iter();
        groups.map(|(group, sample)| (group.clone(), sample.hand_off_count().count)).collect::<Vec<_>>()
    };
    let agent = |agent: &str, count| (Group::Agent(agent.into()), count);
    let pair = |from: &str, to: &str, count| (Group::Pair(from.into(), to.into()), count);
    assert_eq!(of(Grouping::Agent), [agent("a", 3), agent("b", 2), agent("c", 1), agent("x", 1)]);
    assert_eq!(of(Grouping::Pair), [pair("a", "b", 2), pair("a", "c", 1), pair("x", "x", 1)]);
    assert_eq!(of(Grouping::Reason), [(Group::Reason("knows more".into()), 4)]);
}
