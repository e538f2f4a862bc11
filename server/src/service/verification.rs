//! Walks the hash chains of the log for a caller who is told how far it is.
//!
//! One walk at a time: it reads everything, and nobody needs two.

use std::sync::Arc;

use baton_log::{LogReader, ReadError, Walk};
use baton_proto::v1::{self, ErrorReason};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use super::{Api, refusal};
use crate::{shutdown::ShutdownSignal, status::Refusal};

/// Messages that wait for a slow reader.
const MESSAGES_MAX: usize = 16;

/// What a caller reads.
pub(super) type Verification = ReceiverStream<Result<v1::VerifyLogResponse, Status>>;

/// Starts to verify one namespace, or all.
pub(super) fn start(api: &Api, one: Option<Arc<str>>) -> Result<Verification, Refusal> {
    let reader = api.verifier.clone().try_lock_owned().map_err(|_| {
        let message = "the log is being verified already; wait for that to end";
        refusal::too_many("verifications", 1, message.into())
    })?;
    let (sender, receiver) = mpsc::channel(MESSAGES_MAX);
    let caller = Caller { sender, shutdown: api.shutdown.clone() };
    tokio::task::spawn_blocking(move || {
        if let Err(refusal) = caller.verify_all(&**reader, one) {
            // A caller that has left needs no answer.
            let _ = caller.sender.blocking_send(Err(refusal.into()));
        }
    });
    Ok(ReceiverStream::new(receiver))
}

/// Who waits for it. Its methods block.
struct Caller {
    sender: mpsc::Sender<Result<v1::VerifyLogResponse, Status>>,
    shutdown: ShutdownSignal,
}

impl Caller {
    fn verify_all(&self, reader: &dyn LogReader, one: Option<Arc<str>>) -> Result<(), Refusal> {
        let names = match one {
            Some(name) => vec![name],
            None => reader.heads().map_err(damaged)?.into_iter().map(|head| head.namespace).collect(),
        };
        names.iter().try_for_each(|name| self.verify(reader, name))
    }

    fn verify(&self, reader: &dyn LogReader, name: &str) -> Result<(), Refusal> {
        let mut walk = Walk::begin(reader, name).map_err(damaged)?;
        while let Some(progress) = walk.step(reader).map_err(damaged)? {
            self.go_on()?;
            // Progress that finds no room is left out: the next says more.
            let _ = self.sender.try_send(Ok(v1::VerifyLogResponse {
                namespace: name.to_owned(),
                verified_revision: progress.revision,
                head_revision: progress.newest,
                records: progress.records,
                ..Default::default()
            }));
        }
        let verified = walk.finish();
        let done = v1::VerifyLogResponse {
            namespace: name.to_owned(),
            verified_revision: verified.revision,
            head_revision: verified.revision,
            records: verified.records,
            hash: verified.hash.to_string(),
            done: true,
        };
        self.sender.blocking_send(Ok(done)).map_err(|_| broken_off())
    }

    /// Refuses to read on for nobody: a walk over a large log takes minutes.
    fn go_on(&self) -> Result<(), Refusal> {
        if self.shutdown.is_stopping() || self.sender.is_closed() { Err(broken_off()) } else { Ok(()) }
    }
}

fn broken_off() -> Refusal {
    refusal::stopping("the verification was broken off")
}

fn damaged(error: ReadError) -> Refusal {
    let message = error.to_string();
    match error {
        ReadError::Damaged(damage) => Refusal::new(Code::DataLoss, ErrorReason::LogDamaged, message)
            .metadata("namespace", damage.namespace)
            .metadata("revision", damage.revision),
        ReadError::Compacted { .. } | ReadError::Io(_) => refusal::log_unreadable(message),
    }
}
