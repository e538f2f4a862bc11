//! Says whether the server can do its work, for probes and load balancers.
//!
//! Knows nothing of the probes that ask, and nothing of why the server cannot.

use std::borrow::Cow;

use tokio::sync::watch;

/// Ready, or why not.
type State = Result<(), Cow<'static, str>>;

/// Whether the server takes requests and, if not, why not. Its clones show the same.
#[derive(Clone, Debug)]
pub struct Readiness {
    state: watch::Sender<State>,
}

impl Readiness {
    /// A server that is not ready yet because it is starting.
    pub fn starting() -> Self {
        Self { state: watch::Sender::new(Err(Cow::Borrowed("starting"))) }
    }

    /// The server takes requests from now on.
    pub fn serve(&self) {
        self.set(Ok(()));
    }

    /// The server takes no requests from now on. `reason` is for people.
    pub fn refuse(&self, reason: impl Into<Cow<'static, str>>) {
        self.set(Err(reason.into()));
    }

    /// Whether the server takes requests.
    ///
    /// # Errors
    /// The reason why it does not.
    pub fn check(&self) -> Result<(), Cow<'static, str>> {
        self.state.borrow().clone()
    }

    /// Follows the changes, beginning with the present state.
    pub(crate) fn subscribe(&self) -> watch::Receiver<State> {
        let mut receiver = self.state.subscribe();
        receiver.mark_changed();
        receiver
    }

    fn set(&self, state: State) {
        self.state.send_modify(|present| *present = state);
    }
}
