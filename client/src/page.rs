//! Listings: one page of items, or all items as a stream that fetches page after page.
//!
//! Knows nothing of what the items are.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use serde::Serialize;
use tokio_stream::Stream;

use crate::{error::Error, setters::CallFuture};

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page<T> {
    /// The items; a page may hold fewer than asked for, even none, while there are more.
    pub items: Vec<T>,
    /// What to ask the next page with; nothing: this was the last.
    pub next_page_token: Option<String>,
    /// Of a history, how many older entries are no longer kept in the view. The log still has them.
    pub dropped_count: u64,
}

impl<T> Page<T> {
    pub(crate) fn new(items: Vec<T>, next_page_token: String) -> Self {
        let next_page_token = Some(next_page_token).filter(|token| !token.is_empty());
        Self { items, next_page_token, dropped_count: 0 }
    }
}

/// Fetches the page that a token stands for.
type Fetch<T> = Box<dyn FnMut(String) -> CallFuture<Result<Page<T>, Error>> + Send>;

/// All items of a listing, as a [`Stream`] that fetches one page at a time, each as a call of its own.
///
/// Ends after the last item, or after the first error.
pub struct Items<T> {
    fetch: Fetch<T>,
    fetching: Option<CallFuture<Result<Page<T>, Error>>>,
    ready: VecDeque<T>,
    dropped_count: u64,
}

impl<T> Items<T> {
    pub(crate) fn new(first_token: String, mut fetch: Fetch<T>) -> Self {
        let fetching = Some(fetch(first_token));
        Self { fetch, fetching, ready: VecDeque::new(), dropped_count: 0 }
    }

    /// The next item; nothing after the last.
    ///
    /// # Errors
    /// That of the call that fetches the next page; nothing comes after it.
    pub async fn next(&mut self) -> Option<Result<T, Error>>
    where
        T: Unpin,
    {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Of a history, how many older entries are no longer kept in the view, as the newest page that was fetched says it; 0 before the first.
    pub fn dropped_count(&self) -> u64 {
        self.dropped_count
    }

    /// All items that are left, in memory.
    ///
    /// # Errors
    /// That of the first call that fails.
    pub async fn into_vec(mut self) -> Result<Vec<T>, Error>
    where
        T: Unpin,
    {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item?);
        }
        Ok(items)
    }
}

impl<T: Unpin> Stream for Items<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            let Some(fetching) = &mut self.fetching else {
                return Poll::Ready(None);
            };
            let outcome = ready!(fetching.as_mut().poll(context));
            self.fetching = None;
            match outcome {
                Ok(page) => {
                    self.ready = page.items.into();
                    self.dropped_count = page.dropped_count;
                    self.fetching = page.next_page_token.map(|token| (self.fetch)(token));
                }
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Items").field("ready", &self.ready.len()).finish_non_exhaustive()
    }
}

/// Gives a listing its stream. The builder has a `send` that returns a page, and `page_setters!`.
macro_rules! listing {
    ($builder:ty => $item:ty) => {
        $crate::setters::awaitable!($builder => Result<$crate::Page<$item>, $crate::Error>);

        impl $builder {
            /// All items as a stream that fetches one page at a time.
            pub fn stream(self) -> $crate::Items<$item> {
                let first_token = self.request.page_token.clone();
                $crate::Items::new(
                    first_token,
                    Box::new(move |token| Box::pin(self.clone().page_token(token).send())),
                )
            }
        }
    };
}

pub(crate) use listing;
