//! Writes one line for each request: rpc, namespace, task, code, duration.
//!
//! Knows how severe an outcome is and which ones are wanted. Knows nothing of where lines go.

use std::time::Duration;

use tonic::Code;

use crate::{config::LogRequests, metrics::code_name};

/// The target of request lines, for filters.
pub const TARGET: &str = "baton::request";

/// One request that has come to its end.
#[derive(Clone, Copy, Debug)]
pub struct RequestLine<'a> {
    /// Service and method; the path if it is not of the contract.
    pub rpc: &'a str,
    /// The namespace, if the request was understood.
    pub namespace: Option<&'a str>,
    /// The task, if the request is about one.
    pub task: Option<&'a str>,
    /// How it ended.
    pub code: Code,
    /// From the first byte of its headers to its last.
    pub duration: Duration,
    /// What the caller was told if it was refused, percent-encoded as in the header.
    pub error: Option<&'a str>,
}

/// Which requests get a line.
#[derive(Clone, Copy, Debug)]
pub struct RequestLog {
    which: LogRequests,
}

impl RequestLog {
    /// Logs the requests that `which` names.
    pub fn new(which: LogRequests) -> Self {
        Self { which }
    }

    /// Whether a request that begins now may get a line; if not, there is no need to remember what it is about.
    pub fn may_log(self) -> bool {
        self.which != LogRequests::None && tracing::enabled!(target: TARGET, tracing::Level::ERROR)
    }

    /// Writes the line if it is wanted.
    pub fn write(self, line: RequestLine<'_>) {
        let wanted = match self.which {
            LogRequests::All => true,
            LogRequests::Refused => line.code != Code::Ok,
            LogRequests::None => false,
        };
        if !wanted {
            return;
        }
        // The macro looks at the level before it touches a field. Fields that are None are left out.
        macro_rules! write_at {
            ($level:expr) => {
                tracing::event!(
                    target: TARGET,
                    $level,
                    rpc = %line.rpc,
                    namespace = line.namespace,
                    task = line.task,
                    code = %code_name(line.code),
                    duration_us = u64::try_from(line.duration.as_micros()).unwrap_or(u64::MAX),
                    error = line.error.map(percent_decode),
                    "request"
                )
            };
        }
        match line.code {
            Code::Internal | Code::Unknown | Code::DataLoss => write_at!(tracing::Level::ERROR),
            Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded => {
                write_at!(tracing::Level::WARN);
            }
            _ => write_at!(tracing::Level::INFO),
        }
    }
}

/// Undoes the encoding of `grpc-message`; what is not well encoded stays as it is.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let decoded = (first == b'%')
            .then(|| after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match decoded {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
