//! Has the server verify its log, and tells how far it is.
//!
//! Knows nothing of hashes: the server walks the chain.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use baton_proto::v1;
use serde::Serialize;
use tokio_stream::Stream;
use tonic::Streaming;

use crate::{
    call::Call,
    client::Client,
    error::{Error, Origin, from_status},
    services,
    setters::{awaitable, deadline_setter},
};

/// How far a verification is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifyProgress {
    /// The namespace that is being verified.
    pub namespace: String,
    /// Everything up to and with this revision holds.
    pub verified_revision: u64,
    /// The newest revision when the verification began.
    pub head_revision: u64,
    /// How many records have been verified in this namespace.
    pub records: u64,
    /// The BLAKE3 hash of the last verified record, in hex.
    pub hash: String,
    /// This namespace is done.
    pub done: bool,
}

/// Has the server walk the hash chain of its log. See [`Client::verify_log`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct VerifyLog {
    call: Call,
    request: v1::VerifyLogRequest,
}

impl VerifyLog {
    /// Verifies the logs of all namespaces, not only of the client's.
    pub fn all_namespaces(mut self) -> Self {
        self.request.namespace.clear();
        self
    }

    deadline_setter!();

    /// Begins; the deadline is for the beginning alone.
    ///
    /// # Errors
    /// Those that every call may have. What the verification finds comes through the stream.
    pub async fn send(self) -> Result<Verification, Error> {
        let (answers, _endpoint) = self
            .call
            .open(self.request, |channel, request| async move {
                services::monitor(channel).verify_log(request).await
            })
            .await?;
        Ok(Verification { answers: Some(answers) })
    }
}

awaitable!(VerifyLog => Result<Verification, Error>);

/// A verification that is under way, as a [`Stream`].
///
/// If it ends without an error, all of the log holds. [`Error::LogDamaged`] says where it does not.
#[derive(Debug)]
pub struct Verification {
    // Gone once the stream has ended or failed.
    answers: Option<Streaming<v1::VerifyLogResponse>>,
}

impl Verification {
    /// How far it is; nothing once all of it holds.
    ///
    /// # Errors
    /// [`Error::LogDamaged`] with the namespace and the first revision that does not hold; nothing comes after an error.
    pub async fn next(&mut self) -> Option<Result<VerifyProgress, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for Verification {
    type Item = Result<VerifyProgress, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(answers) = &mut self.answers else {
            return Poll::Ready(None);
        };
        let answer = ready!(Pin::new(answers).poll_next(context));
        if !matches!(answer, Some(Ok(_))) {
            self.answers = None;
        }
        let to_error = |status| from_status(status, Origin::default());
        Poll::Ready(answer.map(|answer| answer.map(progress_from_wire).map_err(to_error)))
    }
}

fn progress_from_wire(answer: v1::VerifyLogResponse) -> VerifyProgress {
    VerifyProgress {
        namespace: answer.namespace,
        verified_revision: answer.verified_revision,
        head_revision: answer.head_revision,
        records: answer.records,
        hash: answer.hash,
        done: answer.done,
    }
}

impl Client {
    /// Has the server walk the hash chain of the namespace's log, or of [all](VerifyLog::all_namespaces).
    ///
    /// ```no_run
    /// # async fn example(client: baton_client::Client) -> Result<(), baton_client::Error> {
    /// let mut verification = client.verify_log().all_namespaces().await?;
    /// while let Some(progress) = verification.next().await {
    ///     let progress = progress?;
    ///     println!("{}: {} of {}", progress.namespace, progress.verified_revision, progress.head_revision);
    /// }
    /// println!("all of the log holds");
    /// # Ok(())
    /// # }
    /// ```
    pub fn verify_log(&self) -> VerifyLog {
        let namespace = if self.namespace().is_empty() { "default" } else { self.namespace() };
        let request = v1::VerifyLogRequest { namespace: namespace.to_owned() };
        VerifyLog { call: Call::new(self), request }
    }
}
