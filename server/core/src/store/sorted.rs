//! A sorted map whose clones share what they hold: a B+ tree, of which only what lies on the way to a change is copied, if a clone has it too.
//!
//! Entries that come in the order of their keys, as those of hand-offs do, fill its leaves completely, and a leaf is one allocation without
//! gaps. Knows nothing of what it holds.

#[cfg(test)]
mod tests;
mod walk;

use std::{borrow::Borrow, mem, ops::Bound, sync::Arc};

use arrayvec::ArrayVec;

use walk::Walk;

/// Most entries of a leaf and children of a branch: many enough that the tree takes little beside them, few enough that one is soon copied.
const WIDTH: usize = 15;
/// A node with fewer than this is merged with the one beside it,
const SMALL: usize = 5;
/// if they have no more than this together: so that the next insertions do not split it again.
const MERGED_MAX: usize = 12;
/// A node that is full gives to the one before it, if that has no more than this: so that it does not soon happen again.
const SHARED_MAX: usize = WIDTH - 3;

/// A map in the order of its keys. A clone costs one reference count.
#[derive(Clone, Debug)]
pub(crate) struct Sorted<K, V> {
    root: Node<K, V>,
    len: usize,
}

#[derive(Clone, Debug)]
enum Node<K, V> {
    Leaf(Arc<Entries<K, V>>),
    Branch(Arc<Children<K, V>>),
}

type Entries<K, V> = ArrayVec<(K, V), WIDTH>;
/// Each with a bound: what is before the bound of the second is in the first child, and so on. That of the first means nothing.
type Children<K, V> = ArrayVec<(K, Node<K, V>), WIDTH>;

/// What an insertion came to.
enum Inserted<K, V> {
    Replaced(V),
    Added,
    /// Into a node that was full: this one is beside it now, from this bound on.
    Split(K, Node<K, V>),
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

impl<K, V> Node<K, V> {
    /// The last entry that is in it.
    fn last(&self) -> Option<&(K, V)> {
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
    fn insert(&mut self, key: K, value: V, is_last: bool) -> Inserted<K, V> {
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
    fn change_at_or_before<Q: Ord + ?Sized, T, F: FnOnce(&mut V) -> T>(
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
    fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
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
fn place<K: Borrow<Q>, V, Q: Ord + ?Sized>(entries: &[(K, V)], key: &Q) -> Result<usize, usize> {
    entries.binary_search_by(|(present, _)| present.borrow().cmp(key))
}

/// The child that has that key, if any has.
fn child<K: Borrow<Q>, V, Q: Ord + ?Sized>(children: &[(K, Node<K, V>)], key: &Q) -> usize {
    children[1..].partition_point(|(bound, _)| bound.borrow() <= key)
}
