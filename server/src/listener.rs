//! Opens the ports that the server listens on and accepts from them.
//!
//! Turns what the system says into what the operator can do. Knows nothing of what is spoken on a connection.

use std::{io, net::SocketAddr, time::Duration};

use tokio::net::{TcpListener, TcpStream};

/// How long to wait after a failed accept: the usual cause, too many open files, passes only when connections close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why a port could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Something listens there already.
    #[error(
        "cannot listen on {address}: the port is in use; stop the program that uses it (another baton?) or give {setting} another port"
    )]
    InUse {
        /// The address as it was given.
        address: String,
        /// The setting it came from.
        setting: &'static str,
    },
    /// The process may not open that port.
    #[error("cannot listen on {address}: not permitted; give {setting} a port of 1024 or above")]
    NotPermitted {
        /// The address as it was given.
        address: String,
        /// The setting it came from.
        setting: &'static str,
    },
    /// The host is not an address of this machine, or is unknown.
    #[error("cannot listen on {address}: {source}; {setting} must name an address of this machine")]
    NoSuchAddress {
        /// The address as it was given.
        address: String,
        /// The setting it came from.
        setting: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Anything else.
    #[error("cannot listen on {address}, which {setting} asks for: {source}")]
    Other {
        /// The address as it was given.
        address: String,
        /// The setting it came from.
        setting: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Opens `address`, `HOST:PORT`, which the setting `setting` asks for. Of several addresses of a host the first that works is taken.
///
/// # Errors
/// [`BindError`], which says what to do.
pub async fn bind(setting: &'static str, address: &str) -> Result<TcpListener, BindError> {
    let targets = match tokio::net::lookup_host(address).await {
        Ok(targets) => targets.collect::<Vec<_>>(),
        Err(source) => {
            return Err(BindError::NoSuchAddress { address: address.to_owned(), setting, source });
        }
    };
    let listener = TcpListener::bind(&*targets).await.map_err(|source| {
        let address = address.to_owned();
        match source.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse { address, setting },
            io::ErrorKind::PermissionDenied => BindError::NotPermitted { address, setting },
            io::ErrorKind::AddrNotAvailable => BindError::NoSuchAddress { address, setting, source },
            _ => BindError::Other { address, setting, source },
        }
    })?;
    if let Ok(bound) = listener.local_addr()
        && !bound.ip().is_loopback()
    {
        tracing::warn!(%bound, setting, "anyone who reaches this address is let in: there is no authentication");
    }
    Ok(listener)
}

/// Waits for the next connection. A failure is waited out: the listener itself does not break.
pub(crate) async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are smaller than a segment: without this each would wait for the acknowledgement of the one before.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%peer, %error, "cannot set TCP_NODELAY");
                }
                return (stream, peer);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections, trying again; if too many files are open, raise the hard limit (ulimit -Hn, LimitNOFILE=)");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether a caller left before it was accepted, which is nothing to wait for.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
