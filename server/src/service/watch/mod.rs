//! `WatchHandoffs`: a cursor of its own for each watcher, over what is durable.
//!
//! Recent events come from memory, older ones from the log; a slow watcher waits for itself alone and misses nothing.

mod cursor;
mod encode;
mod message;
mod places;
mod stream;

pub(super) use places::Watchers;

use std::sync::Arc;

use baton_core::{Handoff, Revision};
use baton_proto::v1::ErrorReason;
use bytes::Bytes;
use hyper::body::Body as HttpBody;
use tonic::{Code, Extensions, Status};

use super::{Api, api::concerns, from_wire::WatchQuery, refusal, state::out_of_range};
use crate::{call::Call, engine::Namespace, status::Refusal};
use cursor::{Beginning, Cursor};
use encode::PRESENTATION;
use stream::Watch;

/// Starts to stream what `query` asks for.
pub(super) async fn start(
    api: &Api,
    extensions: &Extensions,
    query: WatchQuery,
) -> Result<impl HttpBody<Data = Bytes, Error = Status> + Send + use<>, Refusal> {
    concerns(extensions, &query.namespace, "");
    let log_id = api.engine.log_id().to_string();
    check_log(&query, &log_id)?;
    let connection = extensions.get::<Arc<Call>>().map(|call| call.connection());
    let place = api.watchers.enter(connection)?;
    let Some(namespace) = api.engine.namespaces().await_in(&query.namespace, &PRESENTATION) else {
        let message =
            format!("namespace {} does not exist, and there are as many as there may be", query.namespace);
        return Err(refusal::too_many("namespaces_max", api.engine.namespaces().len(), message));
    };
    let beginning = beginning(api, &namespace, &query).await?;
    let cursor = Cursor::new(api, namespace, query, beginning, log_id);
    Ok(Watch::new(cursor, place))
}

/// Refuses a cursor of another log: its revisions mean other events.
fn check_log(query: &WatchQuery, log_id: &str) -> Result<(), Refusal> {
    match &query.log_id {
        Some(given) if given != log_id => {
            let message = format!(
                "the cursor is of log {given}; this is log {log_id}: begin again from a snapshot or from revision 1"
            );
            Err(Refusal::new(Code::FailedPrecondition, ErrorReason::LogMismatch, message)
                .metadata("log_id", log_id))
        }
        _ => Ok(()),
    }
}

/// Where the watcher begins, if that is there.
async fn beginning(api: &Api, namespace: &Arc<Namespace>, query: &WatchQuery) -> Result<Beginning, Refusal> {
    let (head, open) = {
        let state = namespace.read();
        let open: Vec<Arc<Handoff>> =
            if query.snapshot { state.open_handoffs().collect() } else { Vec::new() };
        (state.head(), open)
    };
    let next = if query.start.0 == 0 { head.next() } else { query.start };
    if next > head.next() {
        let message = format!(
            "revision {next} is in the future; the newest is {head}: watch from {} or from now",
            head.next()
        );
        return Err(out_of_range(
            ErrorReason::RevisionInFuture,
            message,
            oldest(api, namespace).await?,
            head,
        ));
    }
    if next <= head && namespace.recent(next).is_none() {
        let oldest = oldest(api, namespace).await?;
        if next < oldest {
            return Err(compacted(next, oldest, head));
        }
    }
    Ok(Beginning { next, snapshot: query.snapshot.then_some(open) })
}

/// The refusal of a revision that is no longer kept.
fn compacted(wanted: Revision, oldest: Revision, newest: Revision) -> Refusal {
    let message = format!(
        "revision {wanted} is no longer kept; the log has {oldest} to {newest}: begin again from a snapshot or from revision {oldest}"
    );
    out_of_range(ErrorReason::RevisionCompacted, message, oldest, newest)
}

async fn oldest(api: &Api, namespace: &Arc<Namespace>) -> Result<Revision, Refusal> {
    let range = api.engine.namespaces().log_range(namespace.name()).await;
    range.map(|(oldest, _)| oldest).map_err(|error| refusal::log_unreadable(error.to_string()))
}
