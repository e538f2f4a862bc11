//! When each call of an open loop is due: evenly spaced, whatever became of those before it.
//!
//! Pure: knows no clock.

use std::time::Duration;

/// Calls at an even rate from 0 on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    per_second: f64,
}

impl Schedule {
    /// This many calls per second; more than 0.
    pub(crate) fn new(per_second: f64) -> Self {
        debug_assert!(per_second > 0.0, "a rate of {per_second} sends nothing");
        Self { per_second }
    }

    /// When call `index`, counted from 0, is due.
    pub(crate) fn due(&self, index: u64) -> Duration {
        Duration::from_secs_f64(index as f64 / self.per_second)
    }

    /// How many calls are due before `time`.
    pub(crate) fn count_before(&self, time: Duration) -> u64 {
        /// Shares of a call that rounding may add: they do not make it due.
        const ROUNDING: f64 = 1e-4;
        (time.as_secs_f64() * self.per_second - ROUNDING).ceil() as u64
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Schedule;

    #[test]
    fn calls_are_due_at_an_even_rate() {
        let schedule = Schedule::new(10_000.0);
        assert_eq!(schedule.due(0), Duration::ZERO);
        assert_eq!(schedule.due(1), Duration::from_micros(100));
        assert_eq!(schedule.due(20_000), Duration::from_secs(2));
    }

    #[test]
    fn as_many_calls_are_released_as_are_due_and_none_before() {
        let schedule = Schedule::new(400.0);
        for index in [0, 1, 7, 399, 12_345] {
            assert_eq!(schedule.count_before(schedule.due(index)), index, "call {index} is not yet due");
            let after = schedule.due(index) + Duration::from_micros(1);
            assert_eq!(schedule.count_before(after), index + 1, "call {index} is due");
        }
        assert_eq!(schedule.count_before(Duration::from_secs(3)), 1_200);
    }
}
