//! Requests in segments: each is written once, and a state that is read with them is the one that was written.

use baton_core::{
    CHECKPOINT_FORMAT, CheckpointError, CheckpointReader, InSegments, RequestMemory, RequestSegment,
    Revision, State, limits,
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
    collected(|part| state.write_segment(segment, part))
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
        assert_eq!((failed, left), (Err("as planned"), 0));
    }
}
