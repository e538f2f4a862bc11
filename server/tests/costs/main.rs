//! What a hand-off and a task cost, in figures that no noise can move: allocations and bytes, not seconds.
//!
//! A figure that grows by more than a tenth fails: find out why, or record the new one with the reason in the commit. One that shrinks by as
//! much fails too, so that what was gained is not lost again unseen.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "the figures are what one looks for")]

mod engine;
mod words;

use std::sync::Arc;

use baton_core::{Command, Draft, Entry, Outcome, RequestSegment, Revision, State, execute};
use words::{command, create, hand_off, know, touch};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Hand-offs of one batch, about what a busy server commits at once.
const BATCH: usize = 256;

/// All in one test: the figures are of the whole process.
#[test]
fn costs_are_as_recorded() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let [running, restarted] = engine::task_bytes(8, 4_096);
    let figures = [
        ("allocations of a hand-off in the core", 6, core_allocations(false)),
        ("allocations of a hand-off of a task that rested", 12, core_allocations(true)),
        ("bytes allocated for such a hand-off", 3_959, core_bytes(1)),
        ("bytes allocated for such a hand-off with a hundred lines before it", 4_959, core_bytes(100)),
        ("allocations of a hand-off from the engine's door and back", 7, engine::allocations(BATCH)),
        ("bytes of a resting task with one hand-off", 314, resting_task_bytes("", false)),
        ("bytes of such a task with both requests remembered", 832, resting_task_bytes("request", false)),
        ("bytes of such a task once a segment has these", 422, resting_task_bytes("request", true)),
        ("bytes of a task, 4,096 in each of eight namespaces", 411, running),
        ("bytes of such a task after a start", 323, restarted),
    ];
    let mut failures = Vec::new();
    for (what, recorded, found) in figures {
        println!("{what}: {found:.1} (recorded: {recorded})");
        let allowed = f64::from(recorded) * 0.9..=f64::from(recorded) * 1.1;
        if !allowed.contains(&found) {
            failures.push(format!("{what}: {found:.1} is not within a tenth of {recorded}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("; "));
}

/// Allocations for a hand-off; of a task that rested, if that is said.
fn core_allocations(rested: bool) -> f64 {
    hand_on(rested, 1, |stats| stats.total_blocks)
}

/// Bytes that are allocated for a hand-off of a task that rested, with so many lines in its history.
fn core_bytes(lines: usize) -> f64 {
    hand_on(true, lines, |stats| stats.total_bytes)
}

/// Decides, applies and encodes a batch of hand-offs and puts them in place; gives what grew by that, for each. If the tasks have `rested`,
/// with so many lines in their histories, they do so again after it.
fn hand_on(rested: bool, lines: usize, what: impl Fn(dhat::HeapStats) -> u64) -> f64 {
    let mut state = State::default();
    if rested {
        state.set_unpacked_changes_max(0);
    }
    commit(&mut state, (0..BATCH).map(|task| create("create", task)));
    for _ in 1..lines {
        commit(&mut state, (0..BATCH).map(|task| command("", task, touch(task))));
    }
    commit(&mut state, std::iter::once(know()));
    let commands: Vec<_> = (0..BATCH).map(|task| command("hand-off", task, hand_off(task))).collect();
    let before = what(dhat::HeapStats::get());
    let mut draft = Draft::new(&state);
    let entries: Vec<_> = commands.iter().map(|command| recorded(&mut draft, command)).collect();
    let changes = draft.into_changes();
    let body = changes.body();
    state.absorb(changes);
    let after = what(dhat::HeapStats::get());
    drop((body, entries));
    (after - before) as f64 / BATCH as f64
}

fn recorded(draft: &mut Draft<'_>, command: &Command) -> Box<Entry> {
    match execute(draft, command, words::NOW_US).unwrap() {
        Outcome::Recorded(entry, _) => entry,
        other => unreachable!("each request has an id of its own: {other:?}"),
    }
}

/// What the state holds for each task that was created and handed on once, with requests of that name; without one they are not remembered.
/// If they are `stored`, it has let go of them.
fn resting_task_bytes(request: &str, stored: bool) -> f64 {
    const TASKS: usize = 4_096;
    let mut state = State::default();
    state.set_unpacked_changes_max(0);
    let named = |kind: &str| if request.is_empty() { String::new() } else { format!("{request}-{kind}") };
    let before = dhat::HeapStats::get().curr_bytes;
    for tasks in (0..TASKS).collect::<Vec<_>>().chunks(BATCH) {
        commit(&mut state, tasks.iter().map(|task| create(&named("create"), *task)));
        let handed_on = tasks.iter().map(|task| command(&named("hand-off"), *task, hand_off(*task)));
        commit(&mut state, handed_on);
    }
    if stored {
        let all = RequestSegment { first: Revision(1), last: state.head(), count: 2 * TASKS as u64 };
        state.let_go(&Arc::new(state.write_segment(all, &mut |_| Ok::<_, ()>(())).unwrap()));
        assert_eq!(state.stored_until(), state.head());
    }
    let after = dhat::HeapStats::get().curr_bytes;
    assert_eq!(state.task_count(), TASKS);
    (after - before) as f64 / TASKS as f64
}

fn commit(state: &mut State, commands: impl Iterator<Item = Command>) {
    let mut draft = Draft::new(state);
    for command in commands {
        recorded(&mut draft, &command);
    }
    let changes = draft.into_changes();
    state.absorb(changes);
}
