//! What is kept as it is, or packed; and a walk along both kinds.
//!
//! Knows nothing of how something is packed.

use std::{cmp::Ordering, iter::from_fn, sync::Arc};

/// Something as it is kept.
#[derive(Debug)]
pub(super) enum Kept<'a, T> {
    AsIs(&'a Arc<T>),
    Packed(&'a [u8]),
}

/// All that is in either walk, both in `order`. What is kept both ways has changed since it was packed: it counts as it is.
pub(super) fn merged<'a, K, T: 'a>(
    as_is: impl Iterator<Item = (K, &'a Arc<T>)>,
    packed: impl Iterator<Item = (K, &'a [u8])>,
    order: impl Fn(&K, &K) -> Ordering,
) -> impl Iterator<Item = (K, Kept<'a, T>)> {
    let (mut as_is, mut packed) = (as_is.peekable(), packed.peekable());
    from_fn(move || {
        let order = match (as_is.peek(), packed.peek()) {
            (Some((key, _)), Some((other, _))) => order(key, other),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        if order == Ordering::Equal {
            packed.next();
        }
        if order == Ordering::Greater {
            packed.next().map(|(key, bytes)| (key, Kept::Packed(bytes)))
        } else {
            as_is.next().map(|(key, value)| (key, Kept::AsIs(value)))
        }
    })
}
