//! Runs the calls of one connection within the connection's own task.
//!
//! The HTTP/2 library hands each call to an executor as a future of its own. As tasks, calls are woken one by one on any of the runtime's threads,
//! and each wakes the connection to have its answer written. Here all that are ready have their turn first and then, once, the connection: what
//! is answered together is written together. Knows nothing of what calls do.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{Stream as _, stream::FuturesUnordered};
use hyper::rt::Executor;
use parking_lot::Mutex;

/// Takes the calls of one connection as they begin.
#[derive(Clone, Default)]
pub(crate) struct Begun(Arc<Mutex<Vec<Call>>>);

/// One call. A panic ends it alone, as if it were a task: the library then resets its stream.
struct Call(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Future for Call {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // After a panic it is dropped; what it shares with others is guarded by locks that do not poison.
        catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context))).unwrap_or(Poll::Ready(()))
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Begun {
    fn execute(&self, call: F) {
        self.0.lock().push(Call(Box::pin(call)));
    }
}

/// Drives `connection`, whose executor is `begun`, and its calls, until the connection ends. Calls that are under way then are dropped.
pub(crate) async fn drive<C: Future>(connection: C, begun: Begun) -> C::Output {
    let mut connection = pin!(connection);
    let mut calls = FuturesUnordered::new();
    poll_fn(move |context| {
        loop {
            poll_all(&mut calls, context);
            if let Poll::Ready(ended) = connection.as_mut().poll(context) {
                return Poll::Ready(ended);
            }
            let mut begun = begun.0.lock();
            if begun.is_empty() {
                return Poll::Pending;
            }
            calls.extend(begun.drain(..));
        }
    })
    .await
}

/// Gives all calls that are ready their turn.
fn poll_all(calls: &mut FuturesUnordered<Call>, context: &mut Context<'_>) {
    while let Poll::Ready(Some(())) = Pin::new(&mut *calls).poll_next(context) {}
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::sync::{Notify, mpsc};

    use super::*;

    type Said = mpsc::UnboundedSender<&'static str>;

    /// A connection on which two calls begin when it is first polled, which are answered, and which ends, once `over` is true and `answers` says so.
    async fn connection(begun: Begun, said: Said, answers: Arc<Notify>, over: Arc<AtomicBool>) {
        for call in ["first", "second"] {
            let (said, answers) = (said.clone(), Arc::clone(&answers));
            begun.execute(async move {
                answers.notified().await;
                said.send(call).unwrap();
            });
        }
        poll_fn(|_| {
            said.send("connection").unwrap();
            if over.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn all(mut said: mpsc::UnboundedReceiver<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| said.try_recv().ok()).collect()
    }

    #[tokio::test]
    async fn calls_that_are_ready_together_have_their_turn_before_the_connection() {
        let (said, heard) = mpsc::unbounded_channel();
        let (begun, answers, over) = (Begun::default(), Arc::new(Notify::new()), Arc::default());
        let connection = connection(begun.clone(), said, Arc::clone(&answers), Arc::clone(&over));
        let driven = tokio::spawn(drive(connection, begun));
        tokio::task::yield_now().await;
        over.store(true, Ordering::Relaxed);
        answers.notify_waiters();
        driven.await.unwrap();
        assert!(all(heard).ends_with(&["connection", "first", "second", "connection"]));
    }

    #[tokio::test]
    async fn calls_under_way_are_dropped_with_the_connection() {
        let (said, heard) = mpsc::unbounded_channel();
        let (begun, answers, over) = (Begun::default(), Arc::new(Notify::new()), Arc::new(true.into()));
        drive(connection(begun.clone(), said, Arc::clone(&answers), over), begun).await;
        assert_eq!(Arc::strong_count(&answers), 1);
        assert_eq!(all(heard), ["connection"]);
    }

    #[tokio::test]
    async fn a_call_that_panics_ends_alone() {
        let (said, heard) = mpsc::unbounded_channel();
        let begun = Begun::default();
        begun.execute(async { panic!("a defect") });
        begun.execute(async move { said.send("fine").unwrap() });
        let mut polls = 0;
        let connection = poll_fn(|_| {
            polls += 1;
            if polls == 2 { Poll::Ready("ended") } else { Poll::Pending }
        });
        assert_eq!(drive(connection, begun).await, "ended");
        assert_eq!(all(heard), ["fine"]);
    }
}
