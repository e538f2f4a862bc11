//! What the binary promises to the shell: exit codes, stdout and stderr, as a script meets them.
//!
//! Starts the real process. Nothing here needs a server.

mod process;
mod unreachable;
mod usage;
mod verify_folder;
