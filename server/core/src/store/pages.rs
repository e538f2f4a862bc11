//! A sorted map from bytes to bytes that takes hardly more memory than these do: those that lie near each other share a page.
//!
//! A clone shares everything with the original; of what changes, only the page is copied, if a clone has it too. Knows nothing of what the bytes mean.

mod run;
#[cfg(test)]
mod tests;

use std::{mem, ops::Bound, sync::Arc};

use arrayvec::ArrayVec;

pub(crate) use run::Run;

use super::{
    key::Key,
    page::{ITEMS_MAX, Page},
    sorted::Sorted,
};

/// A page that takes more is split, unless it has one item: so little is soon copied.
const PAGE_BYTES_MAX: usize = 4 * 1024;
/// A value that takes more than this gets a page of its own once its page is too large: it is not copied for its neighbours.
const LARGE_BYTES: usize = PAGE_BYTES_MAX / 2;
/// A page with fewer items than this is merged with the one beside it,
const FEW_ITEMS: usize = 5;
/// if they have no more items than this together,
const MERGED_ITEMS_MAX: usize = 12;
/// and take no more bytes than this: so that the next insertions do not split it again.
const MERGED_BYTES_MAX: usize = PAGE_BYTES_MAX * 3 / 4;
/// A page that is too full shares with the one before it, if they have no more items than this together,
const SHARED_ITEMS_MAX: usize = 2 * ITEMS_MAX - 2;
/// and take no more bytes than this: so that it does not soon happen again.
const SHARED_BYTES_MAX: usize = 2 * PAGE_BYTES_MAX * 7 / 8;

/// A map in the order of its keys. A clone costs one reference count.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages {
    /// By a bound: no key before it is in that page or in those behind it. That of the first is empty.
    pages: Sorted<Key, Arc<Page>>,
}

/// Why the first page is there, and each that was found.
const PRESENT: &str = "it was found just now, and the first page is never removed";

impl Pages {
    /// How many items there are if all pages are full: those that come in the order of their keys leave them so.
    pub(super) fn count_max(&self) -> usize {
        self.pages.len() * ITEMS_MAX
    }

    pub(super) fn contains(&self, key: &[u8]) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&[u8]> {
        let (_, page) = self.pages.at_or_before(&Key::new(key))?;
        Some(page.value(page.place(key).ok()?))
    }

    /// Puts a value in place.
    pub(super) fn set(&mut self, key: &[u8], value: &[u8]) {
        if self.push(key, value) {
            return;
        }
        let put = |page: &mut Arc<Page>| put(Arc::make_mut(page), key, value);
        match self.pages.change_at_or_before(&Key::new(key), put) {
            Some(Put::Fits) => (),
            Some(Put::Apart(pages)) => pages.into_iter().for_each(|page| self.add(page)),
            Some(Put::TooFull) => self.relieve(key),
            None => {
                let mut first = Page::default();
                first.insert(0, key, value);
                self.pages.insert(Key::new(b""), Arc::new(first));
            }
        }
    }

    /// Adds a page that has items.
    fn add(&mut self, page: Page) {
        self.pages.insert(Key::new(page.key(0)), Arc::new(page));
    }

    /// Shares what the page of `key` has too much with the page before it, if that has room, and else with a new one. So pages are well
    /// filled also where keys come in an order that is nearly theirs, as those of numbered tasks do.
    fn relieve(&mut self, key: &[u8]) {
        let (bound, page) = self.pages.at_or_before(&Key::new(key)).expect(PRESENT);
        let before = self.pages.descending(Bound::Excluded(bound)).next();
        let shared = before.and_then(|(before, left)| Some((before.clone(), items_to_share(left, page)?)));
        let bound = bound.clone();
        let right = if let Some((before, items)) = shared {
            let mut page = self.pages.remove(&bound).expect(PRESENT);
            let right = Arc::make_mut(&mut page).split_off(items);
            Arc::make_mut(self.pages.get_mut(&before).expect(PRESENT)).append(&page);
            right
        } else {
            let page = Arc::make_mut(self.pages.get_mut(&bound).expect(PRESENT));
            page.split_off(page.middle())
        };
        self.add(right);
    }

    /// Puts an item behind all others, if it is, without a search: so hand-offs come, and all that a checkpoint gives back. Tells whether it is.
    fn push(&mut self, key: &[u8], value: &[u8]) -> bool {
        let Some(last) = self.pages.last_mut() else { return false };
        if last.last_key().is_none_or(|last| last >= key) {
            return false;
        }
        if let Some(next) = push_behind(Arc::make_mut(last), key, value) {
            self.add(next);
        }
        true
    }

    /// Puts the items of a run behind all others, and tells whether they belong there; if not, nothing is changed.
    pub(super) fn append(&mut self, run: Run) -> bool {
        let pages = run.into_pages();
        let Some(first) = pages.first() else { return true };
        let last = self.pages.descending(Bound::Unbounded).next().and_then(|(_, last)| last.last_key());
        if last.is_some_and(|last| last >= first.key(0)) {
            return false;
        }
        for page in pages {
            let bound = if self.pages.len() == 0 { Key::new(b"") } else { Key::new(page.key(0)) };
            self.pages.insert(bound, Arc::new(page));
        }
        true
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        let Some((bound, page)) = self.pages.at_or_before(&Key::new(key)) else { return };
        let Ok(at) = page.place(key) else { return };
        let bound = bound.clone();
        let page = Arc::make_mut(self.pages.get_mut(&bound).expect(PRESENT));
        page.remove(at);
        if page.len() < FEW_ITEMS {
            self.merge(&bound);
        }
    }

    /// The items whose keys are behind `after`, in order.
    pub(super) fn ascending<'a>(
        &'a self,
        after: Option<&[u8]>,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let after = after.map(Key::new);
        let first = after.as_ref().and_then(|after| self.pages.at_or_before(after));
        let pages = self.pages.ascending(first.map_or(Bound::Unbounded, |(bound, _)| Bound::Included(bound)));
        let items = pages.flat_map(|(_, page)| page.iter());
        items.skip_while(move |(key, _)| after.as_ref().is_some_and(|after| *key <= after.bytes()))
    }

    /// The items whose keys are before `before`, the last one first.
    pub(super) fn descending<'a>(
        &'a self,
        before: Option<&[u8]>,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let before = before.map(Key::new);
        let pages = self.pages.descending(before.as_ref().map_or(Bound::Unbounded, Bound::Included));
        let items = pages.flat_map(|(_, page)| page.iter().rev());
        items.skip_while(move |(key, _)| before.as_ref().is_some_and(|before| *key >= before.bytes()))
    }

    /// Merges a page that has few items with the one before it, or the first with the one behind it, if there is room. Leaves none empty but
    /// the first.
    fn merge(&mut self, bound: &Key) {
        let before = self.pages.descending(Bound::Excluded(bound)).next();
        let left = before.map_or(bound, |(before, _)| before).clone();
        let Some((bound, right)) = self.pages.ascending(Bound::Excluded(&left)).next() else { return };
        let (page, bound) = (self.pages.get(&left).expect(PRESENT), bound.clone());
        let (items, bytes) = (page.len() + right.len(), page.size() + right.size());
        if right.len() == 0 || (items <= MERGED_ITEMS_MAX && bytes <= MERGED_BYTES_MAX) {
            let right = self.pages.remove(&bound).expect(PRESENT);
            Arc::make_mut(self.pages.get_mut(&left).expect(PRESENT)).append(&right);
        }
    }
}

/// Puts an item behind those of a page, or into the next one, which it gives, if that has no room: the page is left as small as it can be then.
fn push_behind(page: &mut Page, key: &[u8], value: &[u8]) -> Option<Page> {
    if page.len() < ITEMS_MAX && page.size() + key.len() + value.len() <= PAGE_BYTES_MAX {
        page.push(key, value);
        return None;
    }
    page.fit();
    // Those that come one after the other are much alike.
    let mut next = Page::with_room(page.size());
    next.push(key, value);
    Some(next)
}

/// What became of a page that an item was put into.
enum Put {
    Fits,
    /// It has more than it should, in more than one item.
    TooFull,
    /// The item, or the one that was there, has a page of its own: these are new.
    Apart(ArrayVec<Page, 2>),
}

/// Puts an item into a page.
fn put(page: &mut Page, key: &[u8], value: &[u8]) -> Put {
    let place = page.place(key);
    let (others, size) = match place {
        Ok(at) => (page.len() - 1, page.size() - page.value(at).len() + value.len()),
        Err(_) => (page.len(), page.size() + key.len() + value.len()),
    };
    let is_alone = others == 1 && page.size() > PAGE_BYTES_MAX;
    match place {
        Ok(at) if others > 0 && value.len() > LARGE_BYTES && size > PAGE_BYTES_MAX => {
            page.remove(at);
            return Put::Apart(apart(page, at, key, value));
        }
        Ok(at) => page.set(at, value),
        Err(at) if others > 0 && size > PAGE_BYTES_MAX && (is_alone || value.len() > LARGE_BYTES) => {
            return Put::Apart(apart(page, at, key, value));
        }
        Err(at) => page.insert(at, key, value),
    }
    if others == 0 || (page.len() <= ITEMS_MAX && size <= PAGE_BYTES_MAX) { Put::Fits } else { Put::TooFull }
}

/// Gives an item a page of its own; what is in the page from `at` on goes into another, or is all of it as it is.
fn apart(page: &mut Page, at: usize, key: &[u8], value: &[u8]) -> ArrayVec<Page, 2> {
    let mut own = Page::default();
    own.insert(0, key, value);
    if at == 0 {
        return ArrayVec::from_iter([mem::replace(page, own)]);
    }
    let behind = (at < page.len()).then(|| page.split_off(at));
    [Some(own), behind].into_iter().flatten().collect()
}

/// How many of the first items of `right` fill the page before it. `None`: it has no room for so many that either would stay as it is for long.
fn items_to_share(left: &Page, right: &Page) -> Option<usize> {
    let bytes = left.size() + right.size();
    if left.len() + right.len() > SHARED_ITEMS_MAX || bytes > SHARED_BYTES_MAX {
        return None;
    }
    let fitting = right.items_within(PAGE_BYTES_MAX.saturating_sub(left.size()));
    let items = fitting.min(ITEMS_MAX.saturating_sub(left.len())).min(right.len() - 1);
    let fits =
        right.len() - items <= ITEMS_MAX && right.size() - right.size_of_first(items) <= PAGE_BYTES_MAX;
    (items > 0 && fits).then_some(items)
}
