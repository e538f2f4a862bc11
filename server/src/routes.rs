//! Takes each request to the service that its path names.
//!
//! Knows services by name alone. Knows nothing of the transport they are reached by.

use std::{convert::Infallible, fmt, future::Future, pin::Pin};

use http::{Request, Response};
use tonic::{Status, body::Body, server::NamedService};
use tower::Service;

/// What a generated service returns.
pub type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

/// The services of one server.
///
/// Put those that are called most often first: they are looked for in this order.
#[derive(Default)]
pub struct Routes {
    routes: Vec<Route>,
}

struct Route {
    service: &'static str,
    call: Box<dyn Fn(Request<Body>) -> Answer + Send + Sync>,
}

impl Routes {
    /// No services.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a generated service.
    #[must_use]
    pub fn with<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future = Answer>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
    {
        // Generated services are always ready and cheap to clone: an Arc and a few settings.
        let call = Box::new(move |request| service.clone().call(request));
        self.routes.push(Route { service: S::NAME, call });
        self
    }

    /// The names of the services, as in `baton.v1.TaskService`.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.routes.iter().map(|route| route.service)
    }

    /// Has the request answered by its service; UNIMPLEMENTED, naming the services that there are, if it is for none of them.
    pub fn answer(&self, request: Request<Body>) -> Answer {
        let service = request.uri().path().strip_prefix('/').and_then(|path| path.split('/').next());
        match self.routes.iter().find(|route| Some(route.service) == service) {
            Some(route) => (route.call)(request),
            None => {
                let response = self.unknown(service.unwrap_or_default()).into_http();
                Box::pin(async { Ok(response) })
            }
        }
    }

    fn unknown(&self, service: &str) -> Status {
        let names: Vec<_> = self.names().collect();
        Status::unimplemented(format!("no service {service:?} here; there are: {}", names.join(", ")))
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.names()).finish()
    }
}
