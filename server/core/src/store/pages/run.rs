//! Pages of items that come in the order of their keys, made apart from the map that they are put into, also by another thread.

use super::{Page, push_behind};

/// Items that follow each other, in pages as full as can be.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pages: Vec<Page>,
    count: usize,
}

impl Run {
    /// How many items it has.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Puts an item behind all others, and tells whether its key is.
    pub(crate) fn push(&mut self, key: &[u8], value: &[u8]) -> bool {
        let next = match self.pages.last_mut() {
            Some(last) if last.last_key().is_some_and(|last| last >= key) => return false,
            Some(last) => push_behind(last, key, value),
            None => {
                let mut first = Page::default();
                first.push(key, value);
                Some(first)
            }
        };
        self.pages.extend(next);
        self.count += 1;
        true
    }

    /// Its pages, none of which is empty, without room for more.
    pub(super) fn into_pages(mut self) -> Vec<Page> {
        if let Some(last) = self.pages.last_mut() {
            last.fit();
        }
        self.pages
    }
}
