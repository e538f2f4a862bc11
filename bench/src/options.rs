//! Arguments that every benchmark takes.
//!
//! Knows nothing of what is measured with them.

use std::{path::PathBuf, time::Duration};

use clap::{Args, value_parser};

use crate::drive::Window;

/// How long and how hard to load, where the server comes from and where results go.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Options {
    /// Rounds; each measures everything that is compared, one after the other. Medians are printed
    #[arg(long, default_value_t = 5, value_name = "ROUNDS", value_parser = value_parser!(u16).range(1..=1_000))]
    pub rounds: u16,
    /// How long is measured in each round, in seconds
    #[arg(long, default_value_t = 2.0, value_name = "SECONDS", value_parser = seconds)]
    pub seconds: f64,
    /// How long is sent in each round before it is measured, in seconds
    #[arg(long, default_value_t = 1.0, value_name = "SECONDS", value_parser = seconds)]
    pub warmup: f64,
    /// Calls in flight at any time
    #[arg(long, default_value_t = 64, value_name = "CALLS", value_parser = value_parser!(u16).range(1..=4_096))]
    pub in_flight: u16,
    /// Connections that the calls share
    #[arg(long, default_value_t = 4, value_name = "CONNECTIONS", value_parser = value_parser!(u16).range(1..=1_024))]
    pub connections: u16,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Also write plots as SVG files into this folder
    #[arg(long, value_name = "DIR")]
    pub plots: Option<PathBuf>,
    /// Where the folders of servers lie, on the disk to be measured; they are removed after [default: the current folder]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The binary `baton` to measure [default: the one beside this program]
    #[arg(long, value_name = "PATH")]
    pub server: Option<PathBuf>,
    /// An argument that `baton serve` gets besides; may be repeated
    #[arg(long = "server-arg", value_name = "ARG", allow_hyphen_values = true)]
    pub server_args: Vec<String>,
}

impl Options {
    /// The window of a round that begins now.
    pub(crate) fn window(&self) -> Window {
        Window::after(Duration::from_secs_f64(self.warmup), Duration::from_secs_f64(self.seconds))
    }

    /// Calls of one caller in one round at this rate of all, and some more.
    pub(crate) fn calls_expected(&self, rate: f64, callers: usize) -> usize {
        /// A round may be faster than the one before by this much before it has to stop for more tasks.
        const RESERVE: f64 = 1.5;
        (rate * (self.warmup + self.seconds) * RESERVE / callers as f64).ceil() as usize
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "must be a number of seconds".to_owned())?;
    if (0.0..=86_400.0).contains(&seconds) { Ok(seconds) } else { Err("must be from 0 to 86400".into()) }
}
