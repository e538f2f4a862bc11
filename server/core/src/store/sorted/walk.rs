//! Walks along the entries of a sorted map, from the first or from the last on.
//!
//! Knows nothing of how the map changes.

use std::{borrow::Borrow, slice};

use super::node::{Node, child};

/// A walk along the entries, one way or the other.
pub(crate) struct Walk<'a, K, V, const FORWARD: bool> {
    /// What is left of each branch on the way to the leaf.
    branches: Vec<slice::Iter<'a, (K, Node<K, V>)>>,
    /// What is left of the leaf.
    entries: slice::Iter<'a, (K, V)>,
}

impl<'a, K, V, const FORWARD: bool> Walk<'a, K, V, FORWARD> {
    /// Along all that is in `root`.
    pub(super) fn all(root: &'a Node<K, V>) -> Self {
        let mut walk = Self { branches: Vec::new(), entries: [].iter() };
        walk.enter(root);
        walk
    }

    /// Along what `part` takes of the leaf that has `key`, if any has, and then all that follows.
    pub(super) fn seek<Q: Ord + ?Sized>(
        mut node: &'a Node<K, V>,
        key: &Q,
        part: impl FnOnce(&'a [(K, V)]) -> &'a [(K, V)],
    ) -> Self
    where
        K: Borrow<Q>,
    {
        let mut branches = Vec::new();
        loop {
            match node {
                Node::Leaf(entries) => return Self { branches, entries: part(entries).iter() },
                Node::Branch(children) => {
                    let at = child(children, key);
                    let rest = if FORWARD { &children[at + 1..] } else { &children[..at] };
                    branches.push(rest.iter());
                    node = &children[at].1;
                }
            }
        }
    }

    /// Goes to the leaf of `node` that comes first.
    fn enter(&mut self, mut node: &'a Node<K, V>) {
        loop {
            match node {
                Node::Leaf(entries) => return self.entries = entries.iter(),
                Node::Branch(children) => {
                    let mut children = children.iter();
                    let Some((_, first)) = Self::step(&mut children) else { return };
                    self.branches.push(children);
                    node = first;
                }
            }
        }
    }

    fn step<T>(items: &mut slice::Iter<'a, T>) -> Option<&'a T> {
        if FORWARD { items.next() } else { items.next_back() }
    }
}

impl<'a, K, V, const FORWARD: bool> Iterator for Walk<'a, K, V, FORWARD> {
    type Item = &'a (K, V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = Self::step(&mut self.entries) {
                return Some(entry);
            }
            match Self::step(self.branches.last_mut()?) {
                Some((_, node)) => self.enter(node),
                None => _ = self.branches.pop(),
            }
        }
    }
}
