//! The nodes of a sorted map: how they fill, split, share and merge.
//!
//! Knows nothing of the map that they make up.

use std::{borrow::Borrow, mem, sync::Arc};

use arrayvec::ArrayVec;

/// Most entries of a leaf and children of a branch: many enough that the tree takes little beside them, few enough that one is soon copied.
pub(super) const WIDTH: usize = 15;
/// A node with fewer than this is merged with the one beside it,
const SMALL: usize = 5;
/// if they have no more than this together: so that the next insertions do not split it again.
const MERGED_MAX: usize = 12;
/// A node that is full gives to the one before it, if that has no more than this: so that it does not soon happen again.
const SHARED_MAX: usize = WIDTH - 3;

/// A leaf, or a branch of equally deep ones.
#[derive(Clone, Debug)]
pub(super) enum Node<K, V> {
    /// Entries in the order of their keys.
    Leaf(Arc<Entries<K, V>>),
    /// Children in the order of their keys.
    Branch(Arc<Children<K, V>>),
}

pub(super) type Entries<K, V> = ArrayVec<(K, V), WIDTH>;
/// Each with a bound: what is before the bound of the second is in the first child, and so on. That of the first means nothing.
pub(super) type Children<K, V> = ArrayVec<(K, Node<K, V>), WIDTH>;

/// What an insertion came to.
pub(super) enum Inserted<K, V> {
    Replaced(V),
    Added,
    /// Into a node that was full: this one is beside it now, from this bound on.
    Split(K, Node<K, V>),
}

impl<K, V> Node<K, V> {
    /// The last entry that is in it.
    pub(super) fn last(&self) -> Option<&(K, V)> {
        let mut node = self;
        loop {
            match node {
                Self::Leaf(entries) => return entries.last(),
                Self::Branch(children) => node = &children.last()?.1,
            }
        }
    }
}

impl<K: Ord + Clone, V: Clone> Node<K, V> {
    fn len(&self) -> usize {
        match self {
            Self::Leaf(entries) => entries.len(),
            Self::Branch(children) => children.len(),
        }
    }

    /// `is_last`: nothing of the map is behind this node.
    pub(super) fn insert(&mut self, key: K, value: V, is_last: bool) -> Inserted<K, V> {
        match self {
            Self::Leaf(entries) => {
                let entries = Arc::make_mut(entries);
                let at = match place(entries, &key) {
                    Ok(at) => return Inserted::Replaced(mem::replace(&mut entries[at].1, value)),
                    Err(at) => at,
                };
                match insert_at(entries, at, (key, value), is_last) {
                    None => Inserted::Added,
                    Some(right) => Inserted::Split(right[0].0.clone(), Self::Leaf(Arc::new(right))),
                }
            }
            Self::Branch(children) => {
                let children = Arc::make_mut(children);
                let mut at = child(children, &key);
                if share(children, at) {
                    at = child(children, &key);
                }
                let is_last_child = is_last && at + 1 == children.len();
                match children[at].1.insert(key, value, is_last_child) {
                    Inserted::Split(bound, node) => {
                        match insert_at(children, at + 1, (bound, node), is_last) {
                            None => Inserted::Added,
                            Some(right) => Inserted::Split(right[0].0.clone(), Self::Branch(Arc::new(right))),
                        }
                    }
                    done => done,
                }
            }
        }
    }

    /// `None` for a key: the last value of all. Gives `change` back if there is no value.
    pub(super) fn change_at_or_before<Q: Ord + ?Sized, T, F: FnOnce(&mut V) -> T>(
        &mut self,
        key: Option<&Q>,
        change: F,
    ) -> Result<T, F>
    where
        K: Borrow<Q>,
    {
        match self {
            Self::Leaf(entries) => {
                let is_before = |(present, _): &(K, V)| key.is_none_or(|key| present.borrow() <= key);
                match entries.partition_point(is_before).checked_sub(1) {
                    Some(at) => Ok(change(&mut Arc::make_mut(entries)[at].1)),
                    None => Err(change),
                }
            }
            Self::Branch(children) => {
                let children = Arc::make_mut(children);
                let at = key.map_or(children.len() - 1, |key| child(children, key));
                let done = children[at].1.change_at_or_before(key, change);
                done.or_else(|change| match at.checked_sub(1) {
                    Some(left) => children[left].1.change_at_or_before(None, change),
                    None => Err(change),
                })
            }
        }
    }

    /// Leaves no empty node behind, but this one may be.
    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        match self {
            Self::Leaf(entries) => {
                let at = place(entries, key).ok()?;
                Some(Arc::make_mut(entries).remove(at).1)
            }
            Self::Branch(children) => {
                let children = Arc::make_mut(children);
                let at = child(children, key);
                let removed = children[at].1.remove(key)?;
                match children[at].1.len() {
                    0 => _ = children.remove(at),
                    1..SMALL => merge(children, at),
                    _ => (),
                }
                Some(removed)
            }
        }
    }

    /// Takes what is in `right`, the node beside it, from `bound` on.
    fn append(&mut self, bound: K, right: Self) {
        match (self, right) {
            (Self::Leaf(entries), Self::Leaf(right)) => {
                Arc::make_mut(entries).extend(Arc::unwrap_or_clone(right));
            }
            (Self::Branch(children), Self::Branch(right)) => {
                let mut right = Arc::unwrap_or_clone(right);
                right[0].0 = bound;
                Arc::make_mut(children).extend(right);
            }
            _ => unreachable!("all leaves are equally deep"),
        }
    }
}

/// Merges the child at `at` with one beside it, if they are small enough.
fn merge<K: Ord + Clone, V: Clone>(children: &mut Children<K, V>, at: usize) {
    let left = at.saturating_sub(1);
    if children.get(left + 1).is_some_and(|(_, right)| children[left].1.len() + right.len() <= MERGED_MAX) {
        let (bound, right) = children.remove(left + 1);
        children[left].1.append(bound, right);
    }
}

/// Fills the child before the one at `at` from it, if it is full and the other has room: so nodes are well filled also where keys come in an
/// order that is nearly theirs. Tells whether it did.
fn share<K: Ord + Clone, V: Clone>(children: &mut Children<K, V>, at: usize) -> bool {
    if at == 0 || children[at].1.len() < WIDTH || children[at - 1].1.len() > SHARED_MAX {
        return false;
    }
    let (before, rest) = children.split_at_mut(at);
    let ((_, left), (bound, right)) = (&mut before[at - 1], &mut rest[0]);
    let moved = WIDTH - left.len();
    match (left, right) {
        (Node::Leaf(left), Node::Leaf(right)) => {
            let right = Arc::make_mut(right);
            Arc::make_mut(left).extend(right.drain(..moved));
            *bound = right[0].0.clone();
        }
        (Node::Branch(left), Node::Branch(right)) => {
            let right = Arc::make_mut(right);
            // Up to now it meant nothing.
            right[0].0 = bound.clone();
            Arc::make_mut(left).extend(right.drain(..moved));
            *bound = right[0].0.clone();
        }
        _ => unreachable!("all leaves are equally deep"),
    }
    true
}

/// Inserts an item; of a node that is full the second half is split off first, or, where items are added at the end of the map, nothing, so
/// that it stays full.
fn insert_at<T>(
    items: &mut ArrayVec<T, WIDTH>,
    at: usize,
    item: T,
    is_last: bool,
) -> Option<ArrayVec<T, WIDTH>> {
    if !items.is_full() {
        items.insert(at, item);
        return None;
    }
    let middle = if is_last && at == items.len() { at } else { items.len() / 2 };
    let mut right: ArrayVec<T, WIDTH> = items.drain(middle..).collect();
    if at < middle {
        items.insert(at, item);
    } else {
        right.insert(at - middle, item);
    }
    Some(right)
}

/// Where the entry of that key is, or would be.
pub(super) fn place<K: Borrow<Q>, V, Q: Ord + ?Sized>(entries: &[(K, V)], key: &Q) -> Result<usize, usize> {
    entries.binary_search_by(|(present, _)| present.borrow().cmp(key))
}

/// The child that has that key, if any has.
pub(super) fn child<K: Borrow<Q>, V, Q: Ord + ?Sized>(children: &[(K, Node<K, V>)], key: &Q) -> usize {
    children[1..].partition_point(|(bound, _)| bound.borrow() <= key)
}
