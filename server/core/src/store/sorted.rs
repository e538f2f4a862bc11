//! A sorted map whose clones share what they hold: a B+ tree, of which only what lies on the way to a change is copied, if a clone has it too.
//!
//! Entries that come in the order of their keys, as those of hand-offs do, fill its leaves completely, and a leaf is one allocation without
//! gaps. Knows nothing of what it holds.

mod node;
#[cfg(test)]
mod tests;
mod walk;

use std::{borrow::Borrow, mem, ops::Bound, sync::Arc};

use node::{Inserted, Node, child, place};
use walk::Walk;

/// A map in the order of its keys. A clone costs one reference count.
#[derive(Clone, Debug)]
pub(crate) struct Sorted<K, V> {
    root: Node<K, V>,
    len: usize,
}

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Self {
        Self { root: Node::Leaf(Arc::default()), len: 0 }
    }
}

impl<K, V> Sorted<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl<K: Ord, V> Sorted<K, V> {
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entry(key).map(|(_, value)| value)
    }

    pub(crate) fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.entry(key).is_some()
    }

    /// The key as it is kept, with its value.
    pub(crate) fn entry<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&(K, V)>
    where
        K: Borrow<Q>,
    {
        let mut node = &self.root;
        loop {
            match node {
                Node::Leaf(entries) => return Some(&entries[place(entries, key).ok()?]),
                Node::Branch(children) => node = &children[child(children, key)].1,
            }
        }
    }

    /// The entry of that key or, if there is none, the last one before it.
    pub(crate) fn at_or_before<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&(K, V)>
    where
        K: Borrow<Q>,
    {
        let (mut node, mut left) = (&self.root, None);
        loop {
            match node {
                Node::Leaf(entries) => {
                    let after = entries.partition_point(|(present, _)| present.borrow() <= key);
                    let found = after.checked_sub(1).map(|at| &entries[at]);
                    return found.or_else(|| left.and_then(Node::last));
                }
                Node::Branch(children) => {
                    let at = child(children, key);
                    left = at.checked_sub(1).map(|left| &children[left].1).or(left);
                    node = &children[at].1;
                }
            }
        }
    }

    /// All entries in order.
    pub(crate) fn iter(&self) -> Walk<'_, K, V, true> {
        Walk::all(&self.root)
    }

    /// The entries from `start` on, in order.
    pub(crate) fn ascending<Q: Ord + ?Sized>(&self, start: Bound<&Q>) -> Walk<'_, K, V, true>
    where
        K: Borrow<Q>,
    {
        let (Bound::Included(key) | Bound::Excluded(key)) = start else { return Walk::all(&self.root) };
        Walk::seek(&self.root, key, |entries| {
            let first = match place(entries, key) {
                Ok(at) => at + usize::from(matches!(start, Bound::Excluded(_))),
                Err(at) => at,
            };
            &entries[first..]
        })
    }

    /// The entries before `end`, the last one first.
    pub(crate) fn descending<Q: Ord + ?Sized>(&self, end: Bound<&Q>) -> Walk<'_, K, V, false>
    where
        K: Borrow<Q>,
    {
        let (Bound::Included(key) | Bound::Excluded(key)) = end else { return Walk::all(&self.root) };
        Walk::seek(&self.root, key, |entries| {
            let behind = match place(entries, key) {
                Ok(at) => at + usize::from(matches!(end, Bound::Included(_))),
                Err(at) => at,
            };
            &entries[..behind]
        })
    }
}

impl<K: Ord + Clone, V: Clone> Sorted<K, V> {
    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let mut node = &mut self.root;
        loop {
            match node {
                Node::Leaf(entries) => {
                    let at = place(entries, key).ok()?;
                    return Some(&mut Arc::make_mut(entries)[at].1);
                }
                Node::Branch(children) => {
                    let at = child(children, key);
                    node = &mut Arc::make_mut(children)[at].1;
                }
            }
        }
    }

    /// Has `change` change the value that [`Self::at_or_before`] finds. `None`: there is none.
    pub(crate) fn change_at_or_before<Q: Ord + ?Sized, T>(
        &mut self,
        key: &Q,
        change: impl FnOnce(&mut V) -> T,
    ) -> Option<T>
    where
        K: Borrow<Q>,
    {
        self.root.change_at_or_before(Some(key), change).ok()
    }

    /// The value of the greatest key.
    pub(crate) fn last_mut(&mut self) -> Option<&mut V> {
        let mut node = &mut self.root;
        loop {
            match node {
                Node::Leaf(entries) => return Arc::make_mut(entries).last_mut().map(|(_, value)| value),
                Node::Branch(children) => node = &mut Arc::make_mut(children).last_mut()?.1,
            }
        }
    }

    /// Puts a value in place, and gives back the one that was there.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.root.insert(key, value, true) {
            Inserted::Replaced(before) => return Some(before),
            Inserted::Added => (),
            Inserted::Split(bound, right) => {
                let left = mem::replace(&mut self.root, Node::Leaf(Arc::default()));
                let children = [(bound.clone(), left), (bound, right)];
                self.root = Node::Branch(Arc::new(children.into_iter().collect()));
            }
        }
        self.len += 1;
        None
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        // Nothing is copied for what is not there.
        if self.contains(key) { self.take(key) } else { None }
    }

    /// Removes an entry that is there.
    pub(crate) fn take<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let removed = self.root.remove(key)?;
        self.len -= 1;
        while let Node::Branch(children) = &self.root
            && let [(_, only)] = children.as_slice()
        {
            self.root = only.clone();
        }
        Some(removed)
    }
}
