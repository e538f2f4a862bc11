//! Describes a client before there is one: all of it is checked before anything is connected.
//!
//! Knows nothing of calls, but for the one that tells whether a server answers.

use std::{env, sync::Arc, time::Duration};

use tonic::transport::Channel;

use super::{Client, Shared};
use crate::{
    endpoints::EndpointsBuilder,
    error::{Error, FieldViolation},
    retry::RetryPolicy,
};

/// Where a server listens unless it is told otherwise.
pub const DEFAULT_ADDRESS: &str = "http://127.0.0.1:7420";
/// The environment variable that [`Client::from_env`] reads.
pub const ADDRESS_VARIABLE: &str = "BATON_ADDR";
/// How long a call may take, with all of its attempts, unless the client or the call says otherwise.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);

/// Describes a client: endpoints, namespace, deadline, retries.
///
/// Without an endpoint it is `http://127.0.0.1:7420`.
#[derive(Debug, Default)]
#[must_use = "a description is not a client yet: finish with `build` or `connect`"]
pub struct ClientBuilder {
    endpoints: EndpointsBuilder,
    namespace: String,
    deadline: Option<Duration>,
    retry: RetryPolicy,
    invalid: Vec<FieldViolation>,
}

impl ClientBuilder {
    /// Adds an address such as `http://127.0.0.1:7420`, or just `127.0.0.1:7420`. TLS is not spoken yet.
    ///
    /// With several, the client stays with one until it is unavailable and then goes on to the next, in the order in which they were added.
    pub fn endpoint(mut self, address: impl AsRef<str>) -> Self {
        if let Err(problem) = self.endpoints.address(address.as_ref().trim()) {
            self.invalid.push(FieldViolation::new("endpoint", problem));
        }
        self
    }

    /// Adds several addresses, separated by commas; none if there is nothing between the commas.
    pub fn endpoints(self, addresses: &str) -> Self {
        addresses.split(',').filter(|address| !address.trim().is_empty()).fold(self, Self::endpoint)
    }

    /// Adds the addresses in the environment variable `BATON_ADDR`, separated by commas; none if it is not set or empty.
    pub fn endpoints_from_env(mut self) -> Self {
        match env::var(ADDRESS_VARIABLE) {
            Ok(addresses) => self.endpoints(&addresses),
            Err(env::VarError::NotPresent) => self,
            Err(problem) => {
                self.invalid.push(FieldViolation::new(ADDRESS_VARIABLE, problem.to_string()));
                self
            }
        }
    }

    /// Adds a channel that the program made itself: with a proxy, over a Unix socket, within the process.
    pub fn channel(mut self, channel: Channel) -> Self {
        self.endpoints.channel(channel);
        self
    }

    /// Works in this namespace instead of `default`.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Gives each call, with all of its attempts, this long; a call may set its own. Default: 10 s.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Repeats calls by this policy.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Makes the client. It connects when it is first used.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong with the description.
    pub fn build(mut self) -> Result<Client, Error> {
        if self.deadline.is_some_and(|deadline| deadline.is_zero()) {
            self.invalid.push(FieldViolation::new("deadline", "must be more than 0"));
        }
        if self.retry.attempts_max == 0 {
            self.invalid.push(FieldViolation::new("retry.attempts_max", "must be 1 or more"));
        }
        if !self.invalid.is_empty() {
            return Err(Error::invalid(self.invalid));
        }
        let endpoints = self.endpoints.build_or(DEFAULT_ADDRESS);
        let deadline = self.deadline.unwrap_or(DEFAULT_DEADLINE);
        let shared = Arc::new(Shared { endpoints, deadline, retry: self.retry });
        Ok(Client { shared, namespace: Arc::from(self.namespace) })
    }

    /// Makes the client and makes sure that a server answers, on whichever endpoint.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong with the description; [`Error::Unavailable`] or [`Error::DeadlineExceeded`] if no
    /// server answers.
    pub async fn connect(self) -> Result<Client, Error> {
        let client = self.build()?;
        client.server_info().await?;
        Ok(client)
    }
}
