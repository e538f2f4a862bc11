//! What all builders have in common, written once: the deadline, the request id, and that they can be awaited.
//!
//! Knows nothing of what the builders ask for.

use std::{future::Future, pin::Pin};

/// A call under way, as `.await` on a builder makes it.
pub type CallFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The setter of a call's deadline. The builder has a field `call`.
macro_rules! deadline_setter {
    () => {
        /// Gives the call, with all of its attempts, this long; otherwise the client's deadline holds.
        pub fn deadline(mut self, deadline: std::time::Duration) -> Self {
            self.call.deadline = Some(deadline);
            self
        }
    };
}

/// The setter of a mutation's request id. The builder has a field `request` that has a field `request_id`.
macro_rules! request_id_setter {
    () => {
        /// Sends this request id, of at most 256 bytes, instead of a random one; an empty one is ignored.
        ///
        /// A mutation whose outcome is unknown, even one of a process that has died since, is safe to repeat with the request id that it had.
        pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
            self.request.request_id = request_id.into();
            self
        }
    };
}

/// Setters of a listing. The builder has a field `request` with `page_size` and `page_token`.
macro_rules! page_setters {
    () => {
        /// Asks for at most this many items per page, 1 to 1,000; otherwise 100.
        pub fn page_size(mut self, page_size: u32) -> Self {
            self.request.page_size = page_size;
            self
        }

        /// Goes on after the page that gave this token as its `next_page_token`. Everything else must be as it was then.
        pub fn page_token(mut self, page_token: impl Into<String>) -> Self {
            self.request.page_token = page_token.into();
            self
        }
    };
}

/// Lets a builder be awaited: the same as calling its `send`.
macro_rules! awaitable {
    ($builder:ty => $output:ty) => {
        impl IntoFuture for $builder {
            type Output = $output;
            type IntoFuture = $crate::CallFuture<$output>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.send())
            }
        }
    };
}

pub(crate) use {awaitable, deadline_setter, page_setters, request_id_setter};
