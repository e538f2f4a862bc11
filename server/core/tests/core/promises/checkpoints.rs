//! A checkpoint: read as it was written, or refused.

use baton_core::{
    BuiltInRule, CHECKPOINT_FORMAT, CheckpointError, Draft, Outcome, RequestMemory, Revision, State, execute,
};
use fastrand::Rng;

use crate::{
    namespace::{Namespace, SECOND_US},
    words::{self, create, hand_off, initiate, know, object, start, switch, transfer},
};

/// Something of everything that a state holds.
fn lived_in() -> Namespace {
    let mut ns = Namespace::new();
    let actions = [
        create("t", "a"),
        know(
            "a",
            object(
                r#"{"k":1,"text":"long enough to stand in the table of values, which begins at 64 bytes"}"#,
            ),
        ),
        start("t"),
        hand_off("t", "a", "b"),
        hand_off("t", "a", "b"),
        transfer("a", "c", Default::default()),
        switch(BuiltInRule::EmptyReason, false),
        initiate("t", "b", "c"),
    ];
    for (number, action) in actions.into_iter().enumerate() {
        ns.send(&format!("r-{number}"), action).unwrap();
    }
    ns
}

fn read(bytes: &[u8]) -> Result<State, CheckpointError> {
    State::from_checkpoint(CHECKPOINT_FORMAT, bytes, RequestMemory::default())
}

#[test]
fn an_empty_state_is_read_back_empty() {
    let restored = read(&State::default().to_checkpoint()).unwrap();
    assert_eq!((restored.head(), restored.time_us(), restored.task_count()), (Revision(0), 0, 0));
}

#[test]
fn a_restored_state_is_the_same_and_goes_on_in_the_same_way() {
    let mut live = lived_in();
    let mut restored = Namespace { state: read(&live.state.to_checkpoint()).unwrap(), now_us: live.now_us };
    assert_eq!((restored.state.head(), restored.state.time_us()), (Revision(8), 8 * SECOND_US));
    assert!(!restored.state.rules().is_on(BuiltInRule::EmptyReason));
    let open = live.task("t").task.open_handoff.unwrap();
    for ns in [&mut live, &mut restored] {
        ns.grant(words::execute(open));
        ns.grant(hand_off("t", "c", "a"));
    }
    assert!(live.state.to_checkpoint() == restored.state.to_checkpoint());
}

#[test]
fn a_restored_state_still_knows_every_request() {
    let live = lived_in();
    let restored = read(&live.state.to_checkpoint()).unwrap();
    for (id, action) in
        [("r-0", create("t", "a")), ("r-3", hand_off("t", "a", "b")), ("r-4", hand_off("t", "a", "b"))]
    {
        let command = baton_core::Command::new(id, 0, action);
        let answer = |state: &State| match execute(&mut Draft::new(state), &command, live.now_us).unwrap() {
            Outcome::Repeated(answer) => answer,
            other => panic!("{id} was forgotten: {other:?}"),
        };
        assert_eq!(answer(&restored), answer(&live.state));
    }
}

#[test]
fn a_state_that_is_read_with_a_smaller_memory_forgets_the_oldest_requests() {
    let bytes = lived_in().state.to_checkpoint();
    let memory = RequestMemory { count_max: 2, ..RequestMemory::default() };
    let mut ns =
        Namespace { state: State::from_checkpoint(CHECKPOINT_FORMAT, &bytes, memory).unwrap(), now_us: 0 };
    assert!(matches!(ns.send("r-7", initiate("t", "b", "c")), Ok(Outcome::Repeated(_))));
    assert!(matches!(ns.send("r-5", transfer("a", "c", Default::default())), Ok(Outcome::Recorded(..))));
}

#[test]
fn a_snapshot_stays_as_it_was_while_the_state_goes_on() {
    for unpacked_changes_max in [0, 3, 100] {
        let mut ns = lived_in();
        ns.state.set_unpacked_changes_max(unpacked_changes_max);
        let (snapshot, before) = (ns.state.snapshot(), ns.state.to_checkpoint());
        let open = ns.task("t").task.open_handoff.unwrap();
        ns.grant(words::execute(open));
        ns.grant(hand_off("t", "c", "a"));
        ns.grant(know("a", object(r#"{"k":2}"#)));
        ns.grant(create("u", "a"));
        ns.grant(switch(BuiltInRule::EmptyReason, true));
        assert!(ns.state.to_checkpoint() != before);
        assert!(snapshot.to_checkpoint() == before, "with {unpacked_changes_max} unpacked");
    }
}

#[test]
fn a_checkpoint_comes_in_parts_and_ends_where_writing_fails() {
    let mut ns = Namespace::new();
    for index in 0..6_000 {
        ns.grant(create(&format!("task-{index:020}"), "an agent with a name that is not short"));
    }
    let (mut parts, mut largest) = (0, 0);
    let counted = ns.state.write_checkpoint(&mut |part| {
        (parts, largest) = (parts + 1, largest.max(part.len()));
        Ok::<_, ()>(())
    });
    counted.unwrap();
    assert!(parts > 3, "the beginning, the end, and more than one part of tasks, not {parts}");
    assert!(largest < 300 * 1024, "{largest} bytes at once");
    for given in 0..parts {
        let mut left = given;
        let failed = ns.state.write_checkpoint(&mut |_| {
            left = usize::checked_sub(left, 1).ok_or("as planned")?;
            Ok(())
        });
        assert_eq!((failed, left), (Err("as planned"), 0));
    }
}

#[test]
fn a_checkpoint_of_another_format_is_refused() {
    let bytes = lived_in().state.to_checkpoint();
    for format in [0, CHECKPOINT_FORMAT + 1, u16::MAX] {
        let error = State::from_checkpoint(format, &bytes, RequestMemory::default()).unwrap_err();
        assert!(matches!(error, CheckpointError::Format(found) if found == format), "{error}");
    }
}

#[test]
fn a_checkpoint_that_was_cut_short_is_refused() {
    let bytes = lived_in().state.to_checkpoint();
    for length in 0..bytes.len() {
        let error = read(&bytes[..length]).unwrap_err();
        assert!(matches!(error, CheckpointError::Malformed(_)), "{length} bytes: {error}");
    }
}

#[test]
fn a_damaged_checkpoint_is_never_more_than_refused() {
    let bytes = lived_in().state.to_checkpoint();
    let mut refused = 0;
    for seed in 0..5_000 {
        let (mut rng, mut damaged) = (Rng::with_seed(seed), bytes.clone());
        for _ in 0..rng.usize(1..5) {
            let at = rng.usize(0..damaged.len());
            damaged[at] = if rng.bool() { damaged[at] ^ (1 << rng.u8(0..8)) } else { rng.u8(..) };
        }
        // Checksums are the log's: what still reads may differ, but it must be a state that can be written.
        match read(&damaged) {
            Ok(state) => _ = state.to_checkpoint(),
            Err(error) => {
                assert!(matches!(error, CheckpointError::Malformed(_)), "seed {seed}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 1_000, "only {refused} of 5,000 were refused");
}
