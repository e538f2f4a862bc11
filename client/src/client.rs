//! The client: what a program holds to talk to Baton, and how it is made.
//!
//! Knows nothing of tasks or hand-offs: what can be asked stands with each noun.

mod builder;

use std::{sync::Arc, time::Duration};

pub use self::builder::{ADDRESS_VARIABLE, ClientBuilder, DEFAULT_ADDRESS};
use crate::{endpoints::Endpoints, error::Error, retry::RetryPolicy};

/// What a program holds to talk to Baton.
///
/// Cheap to clone; clones share their connections, one for each endpoint. All calls on a connection are in flight at the same time.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    namespace: Arc<str>,
}

/// What all clones of a client share, in whichever namespace they work.
#[derive(Debug)]
struct Shared {
    endpoints: Endpoints,
    deadline: Duration,
    retry: RetryPolicy,
}

impl Client {
    /// Connects to the server at `address`, such as `http://127.0.0.1:7420`, and makes sure that it answers.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is no address; [`Error::Unavailable`] if no server answers there.
    pub async fn connect(address: impl AsRef<str>) -> Result<Self, Error> {
        Self::builder().endpoint(address).connect().await
    }

    /// Makes a client of the addresses in the environment variable `BATON_ADDR`, several of them separated by commas, and of the
    /// default address if it is not set. Connects when it is first used.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the variable holds something else.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().endpoints_from_env().build()
    }

    /// Starts to describe a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The same client for another namespace: the same connections, deadline and retries.
    #[must_use]
    pub fn in_namespace(&self, namespace: impl AsRef<str>) -> Self {
        Self { shared: Arc::clone(&self.shared), namespace: Arc::from(namespace.as_ref()) }
    }

    /// The namespace that the client works in; empty: `default`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// How long a call may take that sets no deadline of its own.
    pub(crate) fn deadline(&self) -> Duration {
        self.shared.deadline
    }

    pub(crate) fn retry(&self) -> &RetryPolicy {
        &self.shared.retry
    }

    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.shared.endpoints
    }
}
