//! The sorted map beside a plain one, with clones of both; and what it costs.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::{node::WIDTH, *};

/// Far more than a node has, so that there are three levels, and few enough that the same keys come again.
const KEYS: u32 = 3_000;

fn check(map: &Sorted<u32, u64>, plain: &BTreeMap<u32, u64>, seed: u64) {
    assert_eq!(map.len(), plain.len(), "seed {seed}");
    assert!(map.iter().map(|(key, value)| (key, value)).eq(plain), "seed {seed}: other entries");
}

fn check_ranges(map: &Sorted<u32, u64>, plain: &BTreeMap<u32, u64>, key: u32) {
    let found = map.at_or_before(&key).map(|(key, value)| (key, value));
    assert_eq!(found, plain.range(..=key).next_back(), "at or before {key}");
    for bound in [Bound::Included(&key), Bound::Excluded(&key), Bound::Unbounded] {
        let ascending = map.ascending(bound).map(|(key, value)| (key, value));
        assert!(ascending.eq(plain.range((bound, Bound::Unbounded))), "from {bound:?}");
        let descending = map.descending(bound).map(|(key, value)| (key, value));
        assert!(descending.eq(plain.range((Bound::Unbounded, bound)).rev()), "before {bound:?}");
    }
}

fn change(map: &mut Sorted<u32, u64>, plain: &mut BTreeMap<u32, u64>, rng: &mut Rng, removals: u8) {
    let (key, value) = (rng.u32(..KEYS), rng.u64(..));
    match rng.u8(..10) {
        choice if choice < removals => assert_eq!(map.remove(&key), plain.remove(&key)),
        8 => {
            let changed = map.change_at_or_before(&key, |present| mem::replace(present, value));
            let expected = plain.range_mut(..=key).next_back();
            assert_eq!(changed, expected.map(|(_, present)| mem::replace(present, value)));
        }
        9 => {
            let (changed, expected) = (map.get_mut(&key), plain.get_mut(&key));
            assert_eq!(changed, expected);
            if let (Some(changed), Some(expected)) = (changed, expected) {
                (*changed, *expected) = (value, value);
            }
        }
        _ => assert_eq!(map.insert(key, value), plain.insert(key, value)),
    }
    assert_eq!(map.get(&key), plain.get(&key));
}

#[test]
fn it_is_what_a_plain_map_is_and_so_are_its_clones_whatever_follows() {
    for seed in 0..20 {
        let mut rng = Rng::with_seed(seed);
        let (mut map, mut plain) = (Sorted::default(), BTreeMap::new());
        let mut clones = Vec::new();
        // It grows, stays as it is, shrinks to nothing, and grows again.
        for removals in [1, 4, 8, 9, 2] {
            for _ in 0..6_000 {
                change(&mut map, &mut plain, &mut rng, removals);
            }
            check(&map, &plain, seed);
            check_ranges(&map, &plain, rng.u32(..KEYS));
            clones.push((map.clone(), plain.clone()));
        }
        for key in 0..KEYS {
            assert_eq!(map.remove(&key), plain.remove(&key));
        }
        assert!(map.len() == 0 && map.iter().next().is_none());
        for (map, plain) in &clones {
            check(map, plain, seed);
        }
    }
}

/// How many leaves there are.
fn leaves<K, V>(node: &Node<K, V>) -> usize {
    match node {
        Node::Leaf(_) => 1,
        Node::Branch(children) => children.iter().map(|(_, child)| leaves(child)).sum(),
    }
}

#[test]
fn keys_that_come_in_order_fill_the_leaves() {
    let mut map = Sorted::default();
    (0..KEYS).for_each(|key| _ = map.insert(key, ()));
    assert_eq!(leaves(&map.root), (KEYS as usize).div_ceil(WIDTH));
}

#[test]
fn keys_that_come_nearly_in_order_fill_them_nearly() {
    let mut map = Sorted::default();
    let count = 20 * KEYS as usize;
    // In the order of the numbers, which is not that of the names.
    (0..count).for_each(|number| _ = map.insert(format!("task-{number}"), ()));
    let needed = count.div_ceil(WIDTH);
    assert!(leaves(&map.root) <= needed * 6 / 5, "{} leaves where {needed} would do", leaves(&map.root));
}

#[test]
fn what_is_left_after_most_was_removed_takes_few_leaves() {
    let mut map = Sorted::default();
    (0..KEYS).for_each(|key| _ = map.insert(key, ()));
    (0..KEYS).filter(|key| key % 10 > 0).for_each(|key| _ = map.remove(&key));
    let needed = (KEYS as usize / 10).div_ceil(WIDTH);
    assert!(leaves(&map.root) <= 4 * needed, "{} leaves where {needed} would do", leaves(&map.root));
}

#[test]
fn a_change_copies_what_lies_on_the_way_to_it_and_nothing_else() {
    let mut map = Sorted::default();
    let value = Arc::new(());
    (0..KEYS).for_each(|key| _ = map.insert(key, Arc::clone(&value)));
    let before = Arc::strong_count(&value);
    let clone = map.clone();
    assert_eq!(Arc::strong_count(&value), before, "a clone copies nothing");
    map.get_mut(&1_000);
    assert_eq!(Arc::strong_count(&value), before + WIDTH, "one leaf");
    map.get_mut(&1_000);
    assert_eq!((map.remove(&KEYS), Arc::strong_count(&value)), (None, before + WIDTH), "that is all");
    drop(clone);
    assert_eq!(Arc::strong_count(&value), before);
}
