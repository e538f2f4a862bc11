//! A peer that runs, with its callers: what takes its turn in every round.

use std::{collections::HashMap, pin::Pin};

use crate::{
    drive::{Measured, closed, open, stock},
    failure::{Failure, While as _},
    options::Options,
    peers::{HandOffs, NAMESPACE, Peer},
    ring::Ring,
};

/// Something that is under way.
pub(super) type Doing<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// How hand-offs are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mode {
    /// With so many in flight, the next when an answer comes.
    Closed(usize),
    /// So many each second, whether answers come or not.
    Open(f64),
}

/// A peer that runs, whichever it is.
pub(super) trait Contender: Send {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// Its version and settings, in a line.
    fn about(&self) -> String;

    /// One round.
    fn round<'a>(&'a mut self, mode: Mode, options: &'a Options) -> Doing<'a, Measured>;

    /// Stops it.
    fn stop(self: Box<Self>) -> Doing<'static, ()>;
}

/// Calls that every caller is ready for before its first round.
const CALLS_MIN: usize = 100;

/// A peer of one kind that runs.
pub(super) struct Running<P: Peer> {
    peer: P,
    callers: Vec<HandOffs<P::Client>>,
    // By callers in flight: what the last round came to, so that the next has tasks enough.
    rates: HashMap<usize, f64>,
}

impl<P: Peer> Running<P> {
    /// Readies `count` callers of a peer that runs.
    ///
    /// # Errors
    /// The peer refuses.
    pub(super) async fn new(peer: P, count: usize) -> Result<Self, Failure> {
        let mut callers = Vec::with_capacity(count);
        for index in 0..count {
            let ring = Ring::new(format!("caller-{index}"), NAMESPACE, P::HANDOFFS_PER_TASK);
            callers.push(HandOffs::new(ring, peer.client(index).await?).await?);
        }
        Ok(Self { peer, callers, rates: HashMap::new() })
    }

    async fn measure(&mut self, mode: Mode, options: &Options) -> Result<Measured, Failure> {
        let count = match mode {
            Mode::Closed(in_flight) => in_flight.min(self.callers.len()),
            Mode::Open(_) => self.callers.len(),
        };
        let rate = match mode {
            Mode::Closed(in_flight) => self.rates.get(&in_flight).copied().unwrap_or_default(),
            Mode::Open(rate) => rate,
        };
        let calls = options.calls_expected(rate, count).max(CALLS_MIN);
        stock(&mut self.callers, count, calls).await?;
        match mode {
            Mode::Closed(in_flight) => {
                let measured = closed(&mut self.callers, in_flight, options.window()).await?;
                self.rates.insert(in_flight, measured.rate());
                Ok(measured)
            }
            Mode::Open(rate) => open(&mut self.callers, rate, options.window()).await,
        }
    }
}

impl<P: Peer> Contender for Running<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn about(&self) -> String {
        self.peer.about()
    }

    fn round<'a>(&'a mut self, mode: Mode, options: &'a Options) -> Doing<'a, Measured> {
        Box::pin(async move { self.measure(mode, options).await.during(P::NAME) })
    }

    fn stop(self: Box<Self>) -> Doing<'static, ()> {
        Box::pin(async move {
            drop(self.callers);
            self.peer.stop().await.during(format_args!("stopping {}", P::NAME))
        })
    }
}
