//! Requests in segments: each is written once, and a state that is read with them is the one that was written.

use std::sync::Arc;

use baton_core::{
    CHECKPOINT_FORMAT, CheckpointError, CheckpointReader, Command, Draft, InSegments, Outcome, Rejection,
    RequestMemory, RequestSegment, Revision, State, StoredRequest, execute, limits,
};
use fastrand::Rng;

use crate::{
    namespace::Namespace,
    words::{big, create, create_with, know, object, touch},
};

type Parts = Vec<Vec<u8>>;

const MEMORY: RequestMemory =
    RequestMemory { age_us_max: i64::MAX, count_max: 3 * limits::REQUEST_SEGMENT_COUNT };

/// A state with three segments' requests and some more, the first of which are forgotten.
fn busy() -> Namespace {
    let mut ns = Namespace::remembering(MEMORY);
    ns.grant(create("t", "a"));
    for number in 0..3 * limits::REQUEST_SEGMENT_COUNT + 500 {
        ns.send(&format!("r-{number}"), touch("t")).unwrap();
    }
    ns
}

fn collected(write: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), ()>) -> Result<(), ()>) -> Parts {
    let mut parts = Vec::new();
    let written = write(&mut |part| {
        parts.push(part.to_vec());
        Ok(())
    });
    written.unwrap();
    parts
}

/// All full segments of a state, from its oldest request on.
fn segments(state: &State) -> Vec<RequestSegment> {
    let next = |last: &Option<RequestSegment>| state.next_segment(last.map_or(Revision(0), |last| last.last));
    let first = next(&None);
    std::iter::successors(first, |last| next(&Some(*last))).collect()
}

fn in_segments(segments: &[RequestSegment]) -> InSegments {
    let until = segments.last().map_or(Revision(0), |last| last.last);
    InSegments { until, count: segments.iter().map(|segment| segment.count).sum() }
}

fn written(state: &State, segment: RequestSegment) -> Parts {
    collected(|part| state.write_segment(segment, part).map(drop))
}

fn beside(state: &State, segments: &[RequestSegment]) -> Parts {
    collected(|part| state.write_checkpoint_beside(in_segments(segments), part))
}

fn read(parts: &[Parts], memory: RequestMemory) -> Result<State, CheckpointError> {
    let mut reader = CheckpointReader::new(CHECKPOINT_FORMAT, memory)?;
    parts.iter().flatten().try_for_each(|part| reader.part(part))?;
    reader.finish()
}

fn bytes(parts: &Parts) -> usize {
    parts.iter().map(Vec::len).sum()
}

#[test]
fn a_state_with_segments_is_read_as_it_was_and_they_hold_nearly_all_requests() {
    let ns = busy();
    let segments = segments(&ns.state);
    let count = limits::REQUEST_SEGMENT_COUNT as u64;
    assert_eq!(segments.iter().map(|segment| segment.count).collect::<Vec<_>>(), [count; 3]);
    assert_eq!(Some(segments[0].first), ns.state.oldest_request());
    let mut parts: Vec<Parts> = segments.iter().map(|segment| written(&ns.state, *segment)).collect();
    parts.push(beside(&ns.state, &segments));
    let (left, whole) = (bytes(&parts[3]), ns.state.to_checkpoint().len());
    assert!(left * 30 < whole, "{left} bytes of {whole} are left");
    let restored = read(&parts, MEMORY).unwrap();
    assert!(restored.to_checkpoint() == ns.state.to_checkpoint());
}

#[test]
fn a_segment_is_the_same_whenever_it_is_written_and_what_is_forgotten_of_it_stays_forgotten() {
    let mut ns = busy();
    let before = segments(&ns.state);
    let parts: Vec<Parts> = before.iter().map(|segment| written(&ns.state, *segment)).collect();
    for number in 0..1_000 {
        ns.send(&format!("later-{number}"), touch("t")).unwrap();
    }
    assert!(ns.state.oldest_request() > Some(before[0].first));
    for (segment, parts) in before.iter().zip(&parts).skip(1) {
        assert!(written(&ns.state, *segment) == *parts);
    }
    let restored = read(&[&parts[..], &[beside(&ns.state, &before)]].concat(), MEMORY).unwrap();
    assert!(restored.to_checkpoint() == ns.state.to_checkpoint());
    assert_eq!(restored.oldest_request(), ns.state.oldest_request());

    // With more room nothing comes back, and with less only the newest are kept.
    let all = [&parts[..], &[beside(&ns.state, &before)]].concat();
    let with = |count_max| read(&all, RequestMemory { count_max, ..MEMORY }).unwrap();
    assert!(with(usize::MAX).to_checkpoint() == ns.state.to_checkpoint());
    assert_eq!(with(1).oldest_request(), Some(ns.state.head()));
    assert_eq!(with(0).oldest_request(), None);
}

#[test]
fn large_requests_make_a_segment_sooner() {
    let mut ns = Namespace::new();
    for number in 0..20 {
        let known = object(&format!(r#"{{"k": "{}"}}"#, "x".repeat(900 * 1024)));
        ns.send(&format!("r-{number}"), know("a", known)).unwrap();
    }
    let segments = segments(&ns.state);
    assert_eq!(segments.iter().map(|segment| segment.count).collect::<Vec<_>>(), [10, 10]);
    let written: Vec<usize> = segments.iter().map(|segment| bytes(&written(&ns.state, *segment))).collect();
    let expected = limits::REQUEST_SEGMENT_BYTES..limits::REQUEST_SEGMENT_BYTES + 1024 * 1024;
    assert!(written.iter().all(|bytes| expected.contains(bytes)), "{written:?}");
}

#[test]
fn each_segment_has_the_large_descriptions_of_its_requests_once() {
    const LARGE: usize = 100 * 1024;
    let mut ns = Namespace::new();
    ns.grant(create_with("t", "a", big(LARGE)));
    for number in 0..60 {
        ns.send(&format!("r-{number}"), touch("t")).unwrap();
    }
    let cut = |first: u64, last: u64| RequestSegment {
        first: Revision(first),
        last: Revision(last),
        count: last - first + 1,
    };
    let segments = [cut(2, 21), cut(22, 41)];
    let mut parts: Vec<Parts> = segments.iter().map(|segment| written(&ns.state, *segment)).collect();
    parts.push(beside(&ns.state, &segments));
    for parts in &parts[..2] {
        assert!((LARGE..LARGE + 5_000).contains(&bytes(parts)), "{} bytes", bytes(parts));
    }
    let restored = read(&parts, RequestMemory::default()).unwrap();
    assert!(restored.to_checkpoint() == ns.state.to_checkpoint());
    // The others do without the first.
    let last = [parts[1].clone(), beside(&ns.state, &segments[1..])];
    let memory = RequestMemory { count_max: 40, ..RequestMemory::default() };
    let restored = read(&last, memory).unwrap();
    assert_eq!(restored.oldest_request(), Some(Revision(22)));
    assert_eq!(written(&restored, segments[1]), parts[1]);
}

#[test]
fn segments_that_are_missing_doubled_or_out_of_order_are_refused() {
    let ns = busy();
    let segments = segments(&ns.state);
    let parts: Vec<Parts> = segments.iter().map(|segment| written(&ns.state, *segment)).collect();
    let own = beside(&ns.state, &segments);
    for wrong in [&[0, 1][..], &[1, 2], &[], &[0, 2], &[0, 1, 1, 2], &[0, 0, 1, 2], &[1, 0, 2], &[2, 1, 0]] {
        let mut given: Vec<Parts> = wrong.iter().map(|index| parts[*index].clone()).collect();
        given.push(own.clone());
        let error = read(&given, MEMORY).unwrap_err();
        assert!(matches!(error, CheckpointError::Malformed(_)), "{wrong:?}: {error}");
    }
    let late = [own, parts[0].clone()];
    assert!(read(&late, MEMORY).is_err(), "a segment after the state");
    assert!(read(&parts, MEMORY).is_err(), "segments without a state");
}

/// What a command comes to, if its request stands in a segment.
fn stored(state: &State, command: &Command, now_us: i64) -> Option<StoredRequest> {
    match execute(&mut Draft::new(state), command, now_us).unwrap() {
        Outcome::Stored(stored) => Some(*stored),
        Outcome::Repeated(_) => None,
        Outcome::Recorded(..) => panic!("{command:?} was forgotten"),
    }
}

#[test]
fn a_request_that_was_let_go_is_told_from_one_part_of_its_segment() {
    let ns = busy();
    let held = |command: &Command| match execute(&mut Draft::new(&ns.state), command, ns.now_us).unwrap() {
        Outcome::Repeated(answer) => answer,
        other => panic!("{other:?}"),
    };
    let cuts = segments(&ns.state);
    let parts: Vec<Parts> = cuts.iter().map(|cut| written(&ns.state, *cut)).collect();
    let (mut leaving, mut went) = (State::snapshot(&ns.state), Vec::new());
    assert!(parts.iter().all(|parts| parts.len() > 10), "each segment has many parts");

    // By a state that lets go, segment by segment, and by one that was read.
    let mut let_go = ns.state.clone();
    for cut in &cuts {
        let written = leaving.write_segment(*cut, &mut |_| Ok::<_, ()>(())).unwrap();
        went.push(Arc::new(written));
    }
    let_go.let_go(&went[1]);
    assert_eq!(let_go.stored_until(), Revision(0), "none goes before an older one");
    went.iter().for_each(|stored| let_go.let_go(stored));
    went.iter().for_each(|stored| let_go.let_go(stored));
    let mut all = State::snapshot(&let_go);
    for first in [cuts[2].last.next(), ns.state.head().next()] {
        let rest = RequestSegment { first, last: ns.state.head(), count: 0 };
        let written = all.write_segment(rest, &mut |_| Ok::<_, ()>(())).unwrap();
        all.let_go(&Arc::new(written));
        assert_eq!(all.stored_until(), ns.state.head(), "where nothing is left, nothing goes");
    }
    leaving.let_go(&went[0]);
    assert_eq!(leaving.stored_until(), cuts[0].last, "a snapshot lets go too");
    let mut reader = CheckpointReader::new(CHECKPOINT_FORMAT, MEMORY).unwrap().leaving_requests();
    let own = beside(&let_go, &cuts);
    assert!(own == beside(&ns.state, &cuts), "a checkpoint is the same");
    parts.iter().chain([&own]).flatten().for_each(|part| reader.part(part).unwrap());
    let restored = reader.finish().unwrap();

    for state in [&let_go, &restored] {
        assert_eq!(state.stored_until(), cuts[2].last);
        assert_eq!(state.oldest_request(), ns.state.oldest_request());
        assert!(state.next_segment(cuts[2].last).is_none());
        let (mut from_segments, oldest) = (0, ns.state.oldest_request().unwrap().0);
        for revision in (oldest..=ns.state.head().0).step_by(97) {
            let id = format!("r-{}", revision - 2);
            let command = Command::new(&id, ns.now_us, touch("t"));
            let Some(stored) = stored(state, &command, ns.now_us) else { continue };
            from_segments += 1;
            let which = cuts.iter().position(|cut| *cut == stored.segment).unwrap();
            let part = &parts[which][stored.part.parts_before];
            assert_eq!(stored.repeated(&command, part).unwrap().unwrap(), held(&command));
            let other = Command::new(&id, ns.now_us, create("t", "a"));
            let refused = stored.repeated(&other, part).unwrap();
            assert!(matches!(refused, Err(Rejection::RequestIdReused { .. })), "{refused:?}");
            for wrong in [(which + 1) % 3, which] {
                let part = &parts[wrong][(stored.part.parts_before + 1) % parts[wrong].len()];
                stored.repeated(&command, part).unwrap_err();
            }
        }
        assert!(from_segments > 400, "only {from_segments}");
    }
}

#[test]
fn bounds_hold_for_what_segments_have() {
    let (ns, mut states) = (busy(), Vec::new());
    let cuts = segments(&ns.state);
    let mut parts: Vec<Parts> = cuts.iter().map(|cut| written(&ns.state, *cut)).collect();
    parts.push(beside(&ns.state, &cuts));
    for count_max in [0, 1, 600, 20_000, usize::MAX] {
        let memory = RequestMemory { count_max, ..MEMORY };
        let mut reader = CheckpointReader::new(CHECKPOINT_FORMAT, memory).unwrap().leaving_requests();
        parts.iter().flatten().for_each(|part| reader.part(part).unwrap());
        states.push((reader.finish().unwrap(), read(&parts, memory).unwrap()));
    }
    for (leaving, holding) in states {
        assert_eq!(leaving.oldest_request(), holding.oldest_request());
        let (mut a, mut b) = (
            Namespace { state: leaving, now_us: ns.now_us },
            Namespace { state: holding, now_us: ns.now_us },
        );
        for number in 0..20_000 {
            for ns in [&mut a, &mut b] {
                ns.send(&format!("later-{number}"), touch("t")).unwrap();
            }
            if number % 1_000 == 0 {
                assert_eq!(a.state.oldest_request(), b.state.oldest_request());
            }
        }
        assert_eq!(a.state.oldest_request(), b.state.oldest_request());
    }
}

#[test]
fn a_damaged_segment_is_never_more_than_refused() {
    let mut ns = Namespace::new();
    ns.grant(create_with("t", "a", big(3_000)));
    for number in 0..20 {
        ns.send(&format!("r-{number}"), touch("t")).unwrap();
    }
    let segment = RequestSegment { first: Revision(2), last: Revision(15), count: 14 };
    let (whole, own) = (written(&ns.state, segment), beside(&ns.state, &[segment]));
    let mut refused = 0;
    for seed in 0..2_000 {
        let (mut rng, mut damaged) = (Rng::with_seed(seed), whole.clone());
        let part = rng.choice(&mut damaged).unwrap();
        let at = rng.usize(0..part.len());
        part[at] = if rng.bool() { part[at] ^ (1 << rng.u8(0..8)) } else { rng.u8(..) };
        let again = Command::new("r-7", ns.now_us, touch("t"));
        let mut leaving = ns.state.clone();
        leaving.let_go(&Arc::new(ns.state.write_segment(segment, &mut |_| Ok::<_, ()>(())).unwrap()));
        let stored = stored(&leaving, &again, ns.now_us).unwrap();
        // It is told, as it was or altered, or not: the log knows whether the part is as it was written.
        let _ = stored.repeated(&again, &damaged[stored.part.parts_before]);
        match read(&[damaged, own.clone()], RequestMemory::default()) {
            Ok(state) => _ = state.to_checkpoint(),
            Err(error) => {
                assert!(matches!(error, CheckpointError::Malformed(_)), "seed {seed}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 100, "only {refused} of 2,000 were refused");
}

#[test]
fn writing_a_segment_ends_where_that_fails() {
    let ns = busy();
    let segment = segments(&ns.state)[0];
    let parts = written(&ns.state, segment).len();
    assert!(parts > 1);
    for given in 0..parts {
        let mut left = given;
        let failed = ns.state.write_segment(segment, &mut |_| {
            left = usize::checked_sub(left, 1).ok_or("as planned")?;
            Ok(())
        });
        assert_eq!((failed.unwrap_err(), left), ("as planned", 0));
    }
}
