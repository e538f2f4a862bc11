//! The core does what the plain world does; and would be found out if it did not.

use std::rc::Rc;

use super::{difference::compare, run::Run};
use crate::plain::{
    mistake::Mistake,
    world::{Happened, Status, World},
};

const SEEDS: u64 = 100;
const OPS_PER_SEED: usize = 10_000;

/// `BATON_SEED` repeats one seed; `BATON_SEEDS` says how many there are.
fn seeds() -> std::ops::RangeInclusive<u64> {
    #[expect(clippy::disallowed_methods, reason = "the tests are not the core: a seed comes from outside")]
    let read = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    match read("BATON_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=read("BATON_SEEDS").unwrap_or(SEEDS),
    }
}

#[test]
fn the_core_does_what_the_plain_world_does() {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            scope.spawn(move || {
                for seed in seeds().skip(worker).step_by(workers) {
                    if let Err(difference) = Run::of(seed, OPS_PER_SEED, None) {
                        panic!("{difference}");
                    }
                }
            });
        }
    });
}

#[test]
fn every_mistake_in_the_rules_is_found_out() {
    let mut missed = Mistake::ALL.to_vec();
    missed.retain(|mistake| (1..=8).all(|seed| Run::of(seed, OPS_PER_SEED, Some(*mistake)).is_ok()));
    assert_eq!(missed, [], "these mistakes make no difference to the comparison");
}

#[test]
fn every_wrong_observation_is_found_out() {
    type Change = fn(&mut World);
    let changes: [(&str, Change); 15] = [
        ("the head", |world| world.revision += 1),
        ("owner", |world| world.records_mut().for_each(|record| record.task.owner.push('x'))),
        ("status", |world| {
            world.records_mut().for_each(|record| {
                let pending = record.task.status == Status::Pending;
                record.task.status = if pending { Status::Failed } else { Status::Pending };
            });
        }),
        ("epoch", |world| world.records_mut().for_each(|record| record.task.epoch += 1)),
        ("hand-off count", |world| world.records_mut().for_each(|record| record.task.handoffs += 1)),
        ("metadata", |world| {
            world.records_mut().for_each(|record| {
                let metadata = Rc::make_mut(&mut record.task.metadata);
                metadata.insert("x".into(), crate::plain::value::Plain::Null);
            });
        }),
        ("a task too many", |world| {
            let record = world.tasks.values().next().unwrap().clone();
            world.tasks.insert("zz".into(), record);
        }),
        ("a line of the task's history", |world| {
            let record = world.records_mut().next().unwrap();
            record.history[0] = record.history[0].clone();
            Rc::make_mut(&mut record.history[0]).what = Happened::Updated;
        }),
        ("a line of the task's history too few", |world| {
            _ = world.records_mut().next().unwrap().history.pop();
        }),
        ("a state", |world| {
            world.agents.values_mut().next().unwrap().state = Rc::default();
        }),
        ("where a state came from", |world| {
            world.agents.values_mut().next().unwrap().transferred_from = Some("nobody".into());
        }),
        ("a line of the state's history", |world| {
            let history = &mut world.agents.values_mut().next().unwrap().history;
            let newest = history.last_mut().unwrap();
            Rc::make_mut(newest).after = Rc::default();
        }),
        ("a hand-off's status", |world| {
            Rc::make_mut(world.handoffs.values_mut().next().unwrap()).status = "lost";
        }),
        ("a hand-off too few", |world| _ = world.handoffs.pop_first()),
        ("a rule", |world| {
            if !world.rules_off.remove("ping_pong") {
                world.rules_off.insert("ping_pong");
            }
        }),
    ];
    let run = Run::of(1, 500, None).unwrap();
    for (what, change) in changes {
        let mut world = run.world.clone();
        change(&mut world);
        assert!(compare(&run.state, &world, usize::MAX).is_err(), "{what} can be wrong unnoticed");
    }
}
