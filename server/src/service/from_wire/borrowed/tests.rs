//! What is taken is what the library decodes, of the same size; what it refuses is never taken.
//!
//! All checks are made on what was decoded, so equal requests become equal commands or equal refusals.

use std::iter::repeat_with;

use baton_proto::v1::{BatchHandOffRequest, HandOffRequest, HandoffContext, TransferSpec};
use fastrand::Rng;
use prost::Message as _;

use super::*;

const MESSAGES: u64 = 2_000;
const MUTANTS_PER_MESSAGE: usize = 20;

fn first_seed() -> u64 {
    std::env::var("BATON_TEST_SEED").map_or(1, |seed| seed.parse().expect("BATON_TEST_SEED is a number"))
}

/// Messages with the seeds that they come from.
fn random_batches() -> impl Iterator<Item = (u64, Rng, BatchHandOffRequest)> {
    (first_seed()..).take(MESSAGES as usize).map(|seed| {
        let mut rng = Rng::with_seed(seed);
        let items = repeated(&mut rng, request);
        let namespace = text(&mut rng);
        (seed, rng, BatchHandOffRequest { items, namespace })
    })
}

fn request(rng: &mut Rng) -> HandOffRequest {
    HandOffRequest {
        namespace: text(rng),
        request_id: text(rng),
        task_id: text(rng),
        from_agent: text(rng),
        to_agent: text(rng),
        reason: text(rng),
        owner_epoch: rng.bool().then(|| rng.u64(..) >> rng.u32(..64)),
        transfer: rng.bool().then(|| TransferSpec {
            scope: rng.i32(0..5),
            keys: repeated(rng, text),
            on_conflict: rng.i32(..) & i32::MAX >> rng.u32(..32),
        }),
        context: rng.bool().then(|| HandoffContext {
            summary: text(rng),
            completed: repeated(rng, text),
            remaining: repeated(rng, text),
            decisions: repeated(rng, text),
            pitfalls: repeated(rng, text),
            references: repeated(rng, text),
        }),
    }
}

/// A text that is empty at times, and at times so long that its length takes two bytes.
fn text(rng: &mut Rng) -> String {
    let chars = [0, 1, 5, 150][rng.usize(..4)];
    repeat_with(|| rng.char('\0'..'\u{300}')).take(chars).collect()
}

fn repeated<T>(rng: &mut Rng, item: impl Fn(&mut Rng) -> T) -> Vec<T> {
    let count = rng.usize(..4);
    repeat_with(|| item(rng)).take(count).collect()
}

/// `bytes` with a mistake in them, or with something in them twice.
fn mutant(rng: &mut Rng, mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.is_empty() {
        return vec![rng.u8(..)];
    }
    let at = rng.usize(..bytes.len());
    match rng.u8(..6) {
        0 => bytes[at] = rng.u8(..),
        1 => bytes[at] ^= 1 << rng.u8(..8),
        2 => bytes.truncate(at),
        3 => bytes.insert(at, rng.u8(..)),
        4 => drop(bytes.remove(at)),
        _ => bytes.extend_from_within(at..),
    }
    bytes
}

#[test]
fn what_the_library_writes_is_taken() {
    for (seed, _, batch) in random_batches() {
        let bytes = batch.encode_to_vec();
        assert_eq!(batch_hand_off(&bytes), Some(BatchHandOff::from(&batch)), "seed {seed}");
        for item in &batch.items {
            let bytes = item.encode_to_vec();
            assert_eq!(hand_off(&bytes), Some(HandOff::from(item)), "seed {seed}");
        }
    }
}

#[test]
fn a_mistake_is_seen_as_the_library_sees_it() {
    let (mut taken, mut left, mut refused) = (0, 0, 0);
    for (seed, mut rng, batch) in random_batches() {
        let whole = batch.encode_to_vec();
        for _ in 0..MUTANTS_PER_MESSAGE {
            let bytes = mutant(&mut rng, whole.clone());
            let decoded = BatchHandOffRequest::decode(&*bytes);
            match (batch_hand_off(&bytes), decoded) {
                (Some(batch), decoded) => {
                    let decoded = decoded.unwrap_or_else(|error| panic!("seed {seed}: {error}: {bytes:?}"));
                    assert_eq!(batch, BatchHandOff::from(&decoded), "seed {seed}: {bytes:?}");
                    taken += 1;
                }
                (None, Ok(_)) => left += 1,
                (None, Err(_)) => refused += 1,
            }
        }
    }
    // Else the mutants would not tell much.
    for count in [taken, left, refused] {
        assert!(count > 100, "{taken} taken, {left} left to the library, {refused} refused by it");
    }
}

#[test]
fn what_is_rare_is_left_to_the_library() {
    let rare: [(&str, &[u8]); 14] = [
        ("an unknown field", b"\x50\x01"),
        ("an unknown field whose key has two bytes", b"\xa2\x06\x01a"),
        ("a text twice", b"\x1a\x01a\x1a\x01b"),
        ("an empty text", b"\x1a\x00"),
        ("a length in more bytes than it takes", b"\x1a\x81\x00a"),
        ("a key in more bytes than it takes", b"\x9a\x00\x01a"),
        ("an epoch twice", b"\x38\x01\x38\x02"),
        ("an epoch in more bytes than it takes", b"\x38\x81\x00"),
        ("a transfer twice", b"\x42\x00\x42\x00"),
        ("a context twice", b"\x4a\x00\x4a\x00"),
        ("a scope twice", b"\x42\x04\x08\x01\x08\x02"),
        ("a scope that is its default", b"\x42\x02\x08\x00"),
        ("a negative scope", b"\x42\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        ("a group that is unknown", b"\x53\x54"),
    ];
    for (name, bytes) in rare {
        assert_eq!(hand_off(bytes), None, "{name}");
        let decoded = HandOffRequest::decode(bytes);
        assert!(decoded.is_ok(), "{name}: {decoded:?}");
    }
}

#[test]
fn an_epoch_may_be_of_any_size_and_0() {
    for epoch in [0, 1, 127, 128, u64::from(u32::MAX), u64::MAX] {
        let request = HandOffRequest { owner_epoch: Some(epoch), ..HandOffRequest::default() };
        assert_eq!(hand_off(&request.encode_to_vec()), Some(HandOff::from(&request)), "{epoch}");
    }
}
