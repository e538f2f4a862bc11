//! The server itself: what it is, and whether its log verifies.
//!
//! Knows nothing of tasks or hand-offs.

mod verify;

use baton_proto::v1;
use chrono::{DateTime, Utc};
use serde::Serialize;

pub use self::verify::{Verification, VerifyLog, VerifyProgress};
use crate::{
    call::Call,
    client::Client,
    error::Error,
    from_wire::promised_time,
    services,
    setters::{awaitable, deadline_setter},
};

/// What the server is and what it has done since it started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerInfo {
    /// The server's version.
    pub version: String,
    /// The log that it serves.
    pub log_id: String,
    /// What keeps the log: `sqlite`, `memory`.
    pub log_kind: String,
    /// When the server started.
    pub started_at: DateTime<Utc>,
    /// How many commands have been committed.
    pub commands_committed: u64,
    /// How many hand-offs have been completed.
    pub handoffs_completed: u64,
    /// How many times the log was made durable.
    pub commits: u64,
    /// How many namespaces there are.
    pub namespaces: u64,
}

/// Gets what the server is. See [`Client::server_info`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct GetServerInfo {
    call: Call,
}

impl GetServerInfo {
    deadline_setter!();

    /// Makes the call.
    ///
    /// # Errors
    /// None but those that every call may have: [`Error::Unavailable`], [`Error::DeadlineExceeded`], [`Error::QueueFull`].
    pub async fn send(self) -> Result<ServerInfo, Error> {
        let answer = self
            .call
            .read(v1::GetServerInfoRequest {}, |channel, request| async move {
                services::monitor(channel).get_server_info(request).await
            })
            .await?;
        Ok(info_from_wire(answer))
    }
}

awaitable!(GetServerInfo => Result<ServerInfo, Error>);

fn info_from_wire(info: v1::GetServerInfoResponse) -> ServerInfo {
    ServerInfo {
        version: info.version,
        log_id: info.log_id,
        log_kind: info.log_kind,
        started_at: promised_time(info.started_at),
        commands_committed: info.commands_committed,
        handoffs_completed: info.handoffs_completed,
        commits: info.commits,
        namespaces: info.namespaces,
    }
}

impl Client {
    /// What the server is and what it has done since it started.
    pub fn server_info(&self) -> GetServerInfo {
        GetServerInfo { call: Call::new(self) }
    }
}
