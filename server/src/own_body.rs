//! A body that a service made itself, to be sent in place of the one that its generated code would write.
//!
//! For streams whose messages are encoded once and sent to many. Knows nothing of what is in it.

use std::sync::Arc;

use baton_proto::v1::WatchHandoffsResponse;
use http::Extensions;
use parking_lot::Mutex;
use tokio_stream::Empty;
use tonic::{Response, Status, body::Body};

/// What stands in for the messages of such a stream.
pub(crate) type NoMessages = Empty<Result<WatchHandoffsResponse, Status>>;

/// Travels in the extensions of a response, which ask for clones.
#[derive(Clone)]
pub(crate) struct OwnBody(Arc<Mutex<Option<Body>>>);

impl OwnBody {
    /// The answer of a streaming call that has this body: data frames that are gRPC messages with their prefix, and trailers.
    pub(crate) fn answer(body: Body) -> Response<NoMessages> {
        let mut response = Response::new(tokio_stream::empty());
        response.extensions_mut().insert(Self(Arc::new(Mutex::new(Some(body)))));
        response
    }

    /// Takes the body out of a response's extensions, if it has one of its own.
    pub(crate) fn take(extensions: &mut Extensions) -> Option<Body> {
        extensions.remove::<Self>()?.0.lock().take()
    }
}
