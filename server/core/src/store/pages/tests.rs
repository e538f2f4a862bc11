//! The pages beside a plain map, with clones of both; and what they take.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::*;

type Plain = BTreeMap<Vec<u8>, Vec<u8>>;

/// Few enough that the same keys come again.
const KEYS: u32 = 1_000;

fn key(number: u32) -> Vec<u8> {
    // The empty one too, some that lie in a map itself, and some that do not.
    number.to_string().repeat(1 + number as usize % 20)[1..].into()
}

/// Mostly small; some larger than a page, or than two bytes can tell, some that leave room for little else.
fn value(rng: &mut Rng) -> Vec<u8> {
    let length = match rng.u8(..) {
        0 => rng.usize(..100 * 1024),
        1 => rng.usize(..3 * PAGE_BYTES_MAX),
        2..8 => rng.usize(..PAGE_BYTES_MAX),
        _ => rng.usize(..200),
    };
    vec![rng.u8(..); length]
}

fn pairs<'a>(items: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    items.map(|(key, value)| (key.to_vec(), value.to_vec()))
}

fn check(pages: &Pages, plain: &Plain, seed: u64) {
    assert!(pairs(pages.ascending(None)).eq(plain.clone()), "seed {seed}: other items");
    for (_, page) in pages.pages.iter() {
        let fits = page.len() <= ITEMS_MAX && page.size() <= PAGE_BYTES_MAX + LARGE_BYTES;
        assert!(fits || page.len() == 1, "seed {seed}: {} items, {} bytes", page.len(), page.size());
    }
}

fn check_ranges(pages: &Pages, plain: &Plain, bound: &[u8], seed: u64) {
    let (behind, before) =
        ((Bound::Excluded(bound), Bound::Unbounded), (Bound::Unbounded, Bound::Excluded(bound)));
    let own = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
    assert!(pairs(pages.ascending(Some(bound))).eq(plain.range::<[u8], _>(behind).map(own)), "seed {seed}");
    assert!(
        pairs(pages.descending(Some(bound))).eq(plain.range::<[u8], _>(before).rev().map(own)),
        "seed {seed}"
    );
}

#[test]
fn they_are_what_a_plain_map_is_and_so_are_their_clones_whatever_follows() {
    for seed in 0..10 {
        let mut rng = Rng::with_seed(seed);
        let (mut pages, mut plain) = (Pages::default(), Plain::new());
        let mut clones = Vec::new();
        // They grow, stay as they are, shrink to nothing, and grow again.
        for removals in [1, 4, 8, 9, 2] {
            for _ in 0..2_000 {
                let key = key(rng.u32(..KEYS));
                if rng.u8(..10) < removals {
                    pages.remove(&key);
                    plain.remove(&key);
                } else {
                    let value = value(&mut rng);
                    pages.set(&key, &value);
                    plain.insert(key.clone(), value);
                }
                assert_eq!(pages.get(&key), plain.get(&key).map(Vec::as_slice));
            }
            check(&pages, &plain, seed);
            check_ranges(&pages, &plain, &key(rng.u32(..KEYS)), seed);
            clones.push((pages.clone(), plain.clone()));
        }
        for number in 0..KEYS {
            pages.remove(&key(number));
        }
        check(&pages, &Plain::new(), seed);
        assert_eq!(pages.pages.len(), 1, "only the first is left");
        clones.iter().for_each(|(pages, plain)| check(pages, plain, seed));
    }
}

#[test]
fn keys_that_come_in_order_fill_the_pages() {
    let mut pages = Pages::default();
    (0..KEYS).for_each(|key| pages.set(&key.to_be_bytes(), b"value"));
    assert_eq!(pages.pages.len(), (KEYS as usize).div_ceil(ITEMS_MAX));
}

#[test]
fn runs_that_were_made_apart_are_put_behind_what_is_there_or_not_at_all() {
    for seed in 0..20 {
        let mut rng = Rng::with_seed(seed);
        let (mut pages, mut plain) = (Pages::default(), Plain::new());
        let mut keys: Vec<Vec<u8>> = (0..KEYS).map(key).collect();
        keys.sort();
        keys.dedup();
        let mut left = &keys[..];
        while !left.is_empty() {
            let (some, rest) = left.split_at(rng.usize(..=left.len().min(100)));
            let (mut run, mut late) = (Run::default(), Run::default());
            for key in some {
                let value = value(&mut rng);
                assert!(run.push(key, &value), "seed {seed}: in order");
                assert!(!run.push(key, &value), "seed {seed}: the same again");
                plain.insert(key.clone(), value);
            }
            assert_eq!(run.count(), some.len());
            assert!(pages.append(run), "seed {seed}: behind all");
            if let Some(last) = plain.keys().next_back() {
                assert!(late.push(last, b"late") && !pages.append(late), "seed {seed}: not behind all");
            }
            check(&pages, &plain, seed);
            left = rest;
        }
        for _ in 0..1_000 {
            let (key, value) = (key(rng.u32(..KEYS)), value(&mut rng));
            pages.set(&key, &value);
            plain.insert(key, value);
        }
        check(&pages, &plain, seed);
    }
    let mut run = Run::default();
    assert!((0..KEYS).all(|key| run.push(&key.to_be_bytes(), b"value")));
    assert_eq!(run.into_pages().len(), (KEYS as usize).div_ceil(ITEMS_MAX), "as full as can be");
}

#[test]
fn keys_that_come_nearly_in_order_fill_them_nearly() {
    let numbered = |count: u32| (0..count).map(|number| format!("task-{number}")).collect::<Vec<_>>();
    // As many callers at once have them created and changed.
    let mut shuffled = numbered(20 * KEYS);
    let mut rng = Rng::with_seed(1);
    shuffled.chunks_mut(64).for_each(|chunk| rng.shuffle(chunk));
    let mut at_random = numbered(20 * KEYS);
    rng.shuffle(&mut at_random);
    for (order, keys, filled) in
        [("numbered", numbered(20 * KEYS), 15), ("shuffled", shuffled, 12), ("random", at_random, 12)]
    {
        let mut pages = Pages::default();
        keys.iter().for_each(|key| pages.set(key.as_bytes(), b"value"));
        let items = keys.len() / pages.pages.len();
        assert!(items >= filled, "{order}: {items} items a page");
    }
}

#[test]
fn what_is_left_after_most_was_removed_takes_few_pages() {
    let mut pages = Pages::default();
    (0..KEYS).for_each(|key| pages.set(&key.to_be_bytes(), b"value"));
    (0..KEYS).filter(|key| key % 10 > 0).for_each(|key| pages.remove(&key.to_be_bytes()));
    let needed = (KEYS as usize / 10).div_ceil(ITEMS_MAX);
    let left = pages.pages.len();
    assert!(left <= 4 * needed, "{left} pages where {needed} would do");
}

#[test]
fn a_large_value_is_not_copied_for_those_that_come_to_lie_beside_it() {
    let mut pages = Pages::default();
    (0..10).for_each(|key| pages.set(&[2 * key], b"value"));
    pages.set(&[9], &vec![1; 2 * PAGE_BYTES_MAX]);
    let address = |pages: &Pages| pages.get(&[9]).map(<[u8]>::as_ptr);
    let before = address(&pages);
    (0..20).filter(|key| *key != 9).for_each(|key| pages.set(&[key], b"other"));
    assert_eq!(address(&pages), before);
}

#[test]
fn a_change_copies_one_page_and_nothing_else() {
    let mut pages = Pages::default();
    (0..KEYS).for_each(|key| pages.set(&key.to_be_bytes(), b"value"));
    let clone = pages.clone();
    pages.set(&500_u32.to_be_bytes(), b"other");
    let kept = pages.pages.iter().zip(clone.pages.iter());
    assert_eq!(kept.filter(|((_, page), (_, before))| !Arc::ptr_eq(page, before)).count(), 1);
}
