//! How many files and connections the process may have open at once.
//!
//! Most systems let a process have 1,024 unless it asks for more, for the sake of programs that could not number more. This one can.

/// Raises the limit as far as the system lets this process without asking anyone.
pub fn raise_limit() {
    if let Err(error) = system::raise_limit() {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

#[cfg(unix)]
mod system {
    use std::io;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    pub(super) fn raise_limit() -> io::Result<()> {
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
    }
}

/// Elsewhere there is no such limit, or another way.
#[cfg(not(unix))]
mod system {
    pub(super) fn raise_limit() -> std::io::Result<()> {
        Ok(())
    }
}
