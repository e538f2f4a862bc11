//! Busy waiting while calls come one at a time: a thread that sleeps takes about as long to wake up as such a call takes in all.
//!
//! The engine waits so for the next command, or the log's thread for the next record, and one caller for its answer: each for a bounded time,
//! and only as long as it pays. Knows nothing of what is waited for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::task;

/// Longest wait awake: five times what waking up takes on a virtual machine, so whoever waits longer gains less than a fifth.
const BUSY_MAX: Duration = Duration::from_micros(250);

/// After so many calls that met no other, calls are taken to come one at a time. To be awake for one of several would take the processor
/// from the others, and make batches smaller.
const LONE_CALLS: u32 = 8;

/// After waits in vain, most that are left out before the next is tried, as a power of two: a wait in vain then costs a microsecond a command.
const IN_VAIN_MAX: u32 = 8;

/// Waits that a party may keep awake, by how those before went.
#[derive(Debug, Default)]
struct Patience {
    /// Waits in vain, one after the other.
    in_vain: u32,
    /// Waits that are left out before the next.
    left_out: u32,
}

impl Patience {
    /// Whether to stay awake this time.
    fn is_worth_it(&mut self) -> bool {
        let is_worth_it = self.left_out == 0;
        self.left_out = self.left_out.saturating_sub(1);
        is_worth_it
    }

    fn note(&mut self, was_in_vain: bool) {
        self.in_vain = if was_in_vain { (self.in_vain + 1).min(IN_VAIN_MAX) } else { 0 };
        self.left_out = (1 << self.in_vain) - 1;
    }
}

/// What the engine and its callers know of how calls come.
#[derive(Debug)]
struct Calls {
    /// Longest wait awake.
    busy_max: Duration,
    /// How many wait for an answer.
    waiting: AtomicU32,
    /// How many were the only one when they began, one after the other.
    lone: AtomicU32,
    /// Away with the one caller that waits awake.
    patience: Mutex<Option<Patience>>,
}

impl Calls {
    fn are_lone(&self) -> bool {
        self.lone.load(Ordering::Relaxed) >= LONE_CALLS
    }

    /// Whether somebody may stay awake.
    fn are_waited_for(&self) -> bool {
        !self.busy_max.is_zero() && self.are_lone()
    }
}

/// The part of the thread that serves the callers: the engine's, or the log's where the engine has none.
#[derive(Debug)]
pub(super) struct BusyWait {
    calls: Arc<Calls>,
    patience: Patience,
}

impl BusyWait {
    /// One for a process that has so many processors to itself, or the time of so many.
    ///
    /// With less than two nobody stays awake: the time is taken from whoever is waited for, and where the process is held to a quota, all of it
    /// stops once that is used up, for most of 0.1 s.
    pub(super) fn on(processors: usize) -> Self {
        Self::new(if processors < 2 { Duration::ZERO } else { BUSY_MAX })
    }

    /// One that stays awake for so long at most.
    fn new(busy_max: Duration) -> Self {
        let (waiting, lone) = (AtomicU32::new(0), AtomicU32::new(0));
        let calls = Calls { busy_max, waiting, lone, patience: Mutex::new(Some(Patience::default())) };
        Self { calls: Arc::new(calls), patience: Patience::default() }
    }

    pub(super) fn of_callers(&self) -> CallersBusyWait {
        CallersBusyWait(Arc::clone(&self.calls))
    }

    /// Waits awake for as long as it is worth it, until `has_come`. Threads that have something to do go first.
    pub(super) fn wait(&mut self, mut has_come: impl FnMut() -> bool) {
        if !self.calls.are_waited_for() || has_come() || !self.patience.is_worth_it() {
            return;
        }
        let end = Instant::now() + self.calls.busy_max;
        while !has_come() {
            if Instant::now() >= end {
                return self.patience.note(true);
            }
            thread::yield_now();
        }
        self.patience.note(false);
    }
}

/// The callers' part. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct CallersBusyWait(Arc<Calls>);

/// One that waits for an answer. Dropped when it has it, or leaves.
#[derive(Debug)]
pub(super) struct Caller<'a>(&'a Calls);

impl CallersBusyWait {
    /// Whether calls come one at a time.
    pub(super) fn come_alone(&self) -> bool {
        self.0.are_lone()
    }

    /// A call begins.
    pub(super) fn begin(&self) -> Caller<'_> {
        let Self(calls) = self;
        // Calls that begin at the same time may count one too many or too few.
        let lone = match calls.waiting.fetch_add(1, Ordering::Relaxed) {
            0 => calls.lone.load(Ordering::Relaxed).saturating_add(1),
            _ => 0,
        };
        calls.lone.store(lone, Ordering::Relaxed);
        Caller(calls)
    }
}

impl Caller<'_> {
    /// Waits awake for as long as it is worth it, until `come` gives something. Tasks that are ready and sockets have their turn meanwhile.
    pub(super) async fn wait<T>(&self, mut come: impl FnMut() -> Option<T>) -> Option<T> {
        if !self.0.are_waited_for() {
            return None;
        }
        let mut turn = Turn::take(self.0)?;
        let end = Instant::now() + self.0.busy_max;
        loop {
            if let Some(come) = come() {
                turn.was_in_vain = false;
                return Some(come);
            }
            if Instant::now() >= end {
                return None;
            }
            // Looks at the sockets, without sleeping there.
            task::yield_now().await;
        }
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The turn of the one caller that waits awake. Given back also by one that leaves.
struct Turn<'a> {
    calls: &'a Calls,
    patience: Patience,
    was_in_vain: bool,
}

impl<'a> Turn<'a> {
    /// None if another has it, or if it is not worth it.
    fn take(calls: &'a Calls) -> Option<Self> {
        let mut free = calls.patience.lock();
        let patience = if free.as_mut()?.is_worth_it() { free.take()? } else { return None };
        Some(Self { calls, patience, was_in_vain: true })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut patience = std::mem::take(&mut self.patience);
        patience.note(self.was_in_vain);
        *self.calls.patience.lock() = Some(patience);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        sync::atomic::AtomicBool,
        task::{Context, Waker},
    };

    use super::*;

    /// Longer than any test waits.
    const LONG: Duration = Duration::from_secs(600);

    /// One that has seen calls come one at a time.
    fn lone(busy_max: Duration) -> BusyWait {
        let busy_wait = BusyWait::new(busy_max);
        call_alone(&busy_wait, LONE_CALLS);
        busy_wait
    }

    fn call_alone(busy_wait: &BusyWait, times: u32) {
        (0..times).for_each(|_| drop(busy_wait.of_callers().begin()));
    }

    fn call_together(busy_wait: &BusyWait) {
        let callers = busy_wait.of_callers();
        let _both = (callers.begin(), callers.begin());
    }

    /// How often it looks for something that comes when it looks for the `nth` time.
    fn looks(busy_wait: &mut BusyWait, nth: u32) -> u32 {
        let looks = Cell::new(0);
        busy_wait.wait(|| {
            looks.set(looks.get() + 1);
            looks.get() >= nth
        });
        looks.get()
    }

    #[test]
    fn the_engine_stays_awake_only_while_calls_come_one_at_a_time() {
        let mut busy_wait = lone(LONG);
        assert_eq!(looks(&mut busy_wait, 3), 3);
        call_together(&busy_wait);
        call_alone(&busy_wait, LONE_CALLS - 1);
        assert_eq!(looks(&mut busy_wait, 3), 0);
        call_alone(&busy_wait, 1);
        assert_eq!(looks(&mut busy_wait, 3), 3);
    }

    #[tokio::test]
    async fn nobody_stays_awake_without_a_second_processor() {
        for (processors, looked) in [(0, 0), (1, 0), (2, 1), (64, 1)] {
            let mut busy_wait = BusyWait::on(processors);
            call_alone(&busy_wait, LONE_CALLS);
            assert!(busy_wait.of_callers().come_alone());
            assert_eq!(looks(&mut busy_wait, 1), looked, "the engine, {processors} processors");
            let come = busy_wait.of_callers().begin().wait(|| Some("come")).await;
            assert_eq!(come.is_some(), looked > 0, "a caller, {processors} processors");
        }
    }

    #[test]
    fn waits_in_vain_are_left_out_ever_more_often_until_one_pays() {
        let mut patience = Patience::default();
        let mut left_out_after = |was_in_vain| {
            patience.note(was_in_vain);
            (0..).take_while(|_| !patience.is_worth_it()).count()
        };
        let in_vain: Vec<usize> = (0..10).map(|_| left_out_after(true)).collect();
        assert_eq!(in_vain, [1, 3, 7, 15, 31, 63, 127, 255, 255, 255]);
        assert_eq!(left_out_after(false), 0);
        assert_eq!(left_out_after(true), 1);
    }

    #[test]
    fn a_wait_in_vain_ends_and_the_next_is_left_out() {
        let mut busy_wait = lone(Duration::from_millis(1));
        busy_wait.wait(|| false);
        assert_eq!(looks(&mut busy_wait, 3), 1);
    }

    #[tokio::test]
    async fn a_caller_that_waits_awake_lets_others_have_their_turn() {
        let busy_wait = lone(LONG);
        let other = Arc::new(AtomicBool::new(false));
        let of_other = Arc::clone(&other);
        tokio::spawn(async move { of_other.store(true, Ordering::Relaxed) });
        let come = || other.load(Ordering::Relaxed).then_some("come");
        assert_eq!(busy_wait.of_callers().begin().wait(come).await, Some("come"));
    }

    #[tokio::test]
    async fn one_caller_at_a_time_waits_awake_and_one_that_leaves_makes_room() {
        let callers = lone(LONG).of_callers();
        let caller = callers.begin();
        let come = || Some("come");
        {
            let mut first = Box::pin(caller.wait(|| None::<&str>));
            assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert_eq!(caller.wait(come).await, None);
        }
        // It left in vain, so one is left out.
        assert_eq!(caller.wait(come).await, None);
        assert_eq!(caller.wait(come).await, Some("come"));
    }

    #[tokio::test]
    async fn a_callers_wait_in_vain_ends_and_the_next_is_left_out() {
        let callers = lone(Duration::from_millis(1)).of_callers();
        let caller = callers.begin();
        assert_eq!(caller.wait(|| None::<&str>).await, None);
        assert_eq!(caller.wait(|| Some("come")).await, None);
        assert_eq!(caller.wait(|| Some("come")).await, Some("come"));
    }

    #[tokio::test]
    async fn callers_do_not_wait_awake_while_calls_come_together() {
        let busy_wait = lone(LONG);
        call_together(&busy_wait);
        assert_eq!(busy_wait.of_callers().begin().wait(|| Some("come")).await, None);
    }
}
