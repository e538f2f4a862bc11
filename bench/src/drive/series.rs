//! The rounds of one thing that is compared, and how they relate to those of another.

use super::{Latency, Measured};

/// The rounds of one thing, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    rounds: Vec<Measured>,
}

impl Series {
    /// Adds a round.
    pub(crate) fn push(&mut self, round: Measured) {
        self.rounds.push(round);
    }

    /// The last round; `None` before the first.
    pub(crate) fn last(&self) -> Option<&Measured> {
        self.rounds.last()
    }

    /// The rate of each round.
    pub(crate) fn rates(&self) -> Vec<f64> {
        self.rounds.iter().map(Measured::rate).collect()
    }

    /// The median of the rounds' rates.
    pub(crate) fn rate(&self) -> f64 {
        median(self.rates())
    }

    /// Medians of the rounds' latencies; of the longest, the longest of all rounds.
    pub(crate) fn latency(&self) -> Latency {
        let rounds: Vec<Latency> = self.rounds.iter().map(Measured::latency).collect();
        let of = |pick: fn(&Latency) -> f64| median(rounds.iter().map(pick).collect());
        Latency {
            p50: of(|latency| latency.p50),
            p90: of(|latency| latency.p90),
            p99: of(|latency| latency.p99),
            max: rounds.iter().map(|latency| latency.max).fold(0.0, f64::max),
        }
    }

    /// The median, over the rounds, of `figure` of this one's round as a share of the other's round; `None` if there is no such round.
    pub(crate) fn ratio(&self, other: &Self, figure: impl Fn(&Measured) -> f64) -> Option<f64> {
        let ratios: Vec<f64> = self
            .rounds
            .iter()
            .zip(&other.rounds)
            .map(|(own, other)| (figure(own), figure(other)))
            .filter(|(_, other)| *other > 0.0)
            .map(|(own, other)| own / other)
            .collect();
        (!ratios.is_empty()).then(|| median(ratios))
    }

    /// The rounds of this and of others, together.
    pub(crate) fn rounds(&self) -> &[Measured] {
        &self.rounds
    }
}

/// The middle one; of an even number, the mean of the two in the middle. 0 of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Measured, Series, median};

    fn series(units: &[u64]) -> Series {
        let mut series = Series::default();
        for &units in units {
            let mut round = Measured::new(Duration::from_secs(2));
            round.record(units, Duration::from_micros(units));
            series.push(round);
        }
        series
    }

    #[test]
    fn a_median_is_not_moved_by_one_bad_round() {
        assert!(median(Vec::new()).abs() < f64::EPSILON);
        assert!((median(vec![3.0, 900.0, 1.0]) - 3.0).abs() < f64::EPSILON);
        assert!((median(vec![1.0, 4.0, 2.0, 100.0]) - 3.0).abs() < f64::EPSILON);
        assert!((series(&[10, 2_000, 20]).rate() - 10.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_ratio_compares_rounds_of_the_same_time() {
        // The machine was slow in the second round, for both.
        let (own, other) = (series(&[50, 5, 50]), series(&[100, 10, 100]));
        let ratio = own.ratio(&other, Measured::rate).expect("there are rounds");
        assert!((ratio - 0.5).abs() < 1e-9, "{ratio}");
    }

    #[test]
    fn there_is_no_ratio_to_what_was_not_measured() {
        assert_eq!(series(&[1]).ratio(&Series::default(), Measured::rate), None);
        assert_eq!(series(&[1]).ratio(&series(&[0]), Measured::rate), None);
    }
}
