//! An axis: which values it spans, where they lie on it, and at which it has numbers.

/// How values are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Evenly, from 0.
    Linear,
    /// By powers of ten: for values that lie far apart.
    Log,
}

/// An axis with a name and a unit.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    name: String,
    scale: Scale,
}

impl Axis {
    /// An axis; `name` says what and in which unit.
    pub(crate) fn new(name: impl Into<String>, scale: Scale) -> Self {
        Self { name: name.into(), scale }
    }

    /// What it shows.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The span that these values need.
    pub(super) fn range(&self, values: impl Iterator<Item = f64>) -> Range {
        let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        match self.scale {
            Scale::Linear => Range::linear(values.into_iter().fold(0.0, f64::max)),
            Scale::Log => Range::log(&values),
        }
    }
}

/// The span of an axis.
#[derive(Clone, Copy, Debug)]
pub(super) enum Range {
    /// From 0 to `end`, in steps of `step`.
    Linear {
        /// The last value.
        end: f64,
        /// Between two numbers.
        step: f64,
    },
    /// From a power of ten on, by powers of ten.
    Log {
        /// The power where it begins.
        start: i32,
        /// The power where it ends, not always a whole one.
        end: f64,
        /// Whether 0 stands where it begins.
        zero: bool,
    },
}

impl Range {
    fn linear(max: f64) -> Self {
        /// About as many numbers as an axis has room for.
        const STEPS: f64 = 6.0;
        let max = if max > 0.0 { max } else { 1.0 };
        let magnitude = 10f64.powf((max / STEPS).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|digit| digit * magnitude)
            .into_iter()
            .find(|step| max / step <= STEPS)
            .unwrap_or(max);
        Self::Linear { end: (max / step).ceil() * step, step }
    }

    fn log(values: &[f64]) -> Self {
        let zero = values.iter().any(|&value| value <= 0.0);
        let above = values.iter().copied().filter(|&value| value > 0.0);
        let (least, most) = above
            .fold((f64::MAX, f64::MIN_POSITIVE), |(least, most), value| (least.min(value), most.max(value)));
        let (least, most) = if least > most { (1.0, 10.0) } else { (least, most) };
        let start = least.log10().floor() as i32 - i32::from(zero);
        Self::Log { start, end: most.log10().max(f64::from(start + 1)), zero }
    }

    /// The value where it begins.
    pub(super) fn start(self) -> f64 {
        match self {
            Self::Linear { .. } => 0.0,
            Self::Log { start, .. } => 10f64.powi(start),
        }
    }

    /// Where a value lies, from 0 at the start to 1 at the end; what has no place lies at the start.
    pub(super) fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear { end, .. } => (value / end).clamp(0.0, 1.0),
            Self::Log { start, .. } if value <= 10f64.powi(start) => 0.0,
            Self::Log { start, end, .. } => {
                ((value.log10() - f64::from(start)) / (end - f64::from(start))).min(1.0)
            }
        }
    }

    /// The values that have a number.
    pub(super) fn ticks(self) -> Vec<f64> {
        match self {
            Self::Linear { end, step } => {
                (0..=(end / step).round() as u32).map(|index| f64::from(index) * step).collect()
            }
            Self::Log { start, end, zero } => {
                let powers = start + i32::from(zero)..=end.floor() as i32;
                zero.then_some(0.0).into_iter().chain(powers.map(|power| 10f64.powi(power))).collect()
            }
        }
    }
}

/// A number as short as an axis needs it: `5k`, `1.2M`, `0.1`.
pub(super) fn short(number: f64) -> String {
    let (value, unit) = match number {
        number if number >= 1e9 => (number / 1e9, "G"),
        number if number >= 1e6 => (number / 1e6, "M"),
        number if number >= 1e3 => (number / 1e3, "k"),
        number => (number, ""),
    };
    // Three digits at most, without zeros at the end.
    let text = format!("{value:.3}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::{Axis, Scale, short};

    #[test]
    fn numbers_on_a_linear_axis_are_round_and_cover_all_values() {
        for (max, last, count) in [(16_291.0, 20_000.0, 5), (0.63, 0.8, 5), (5.0, 5.0, 6), (0.0, 1.0, 6)] {
            let ticks = Axis::new("", Scale::Linear).range([max].into_iter()).ticks();
            let end = ticks.last().copied().unwrap_or_default();
            assert!((end - last).abs() < 1e-9 && ticks.len() == count, "{max}: {ticks:?}");
        }
    }

    #[test]
    fn a_log_axis_begins_at_a_power_of_ten_and_ends_with_its_greatest_value() {
        let range = Axis::new("", Scale::Log).range([690.0, 50_000.0].into_iter());
        assert_eq!(range.ticks(), [100.0, 1_000.0, 10_000.0]);
        assert!((range.place(50_000.0) - 1.0).abs() < 1e-9);
        assert!((range.place(1_000.0) - 1.0 / 500f64.log10()).abs() < 1e-9);
    }

    #[test]
    fn zero_has_a_place_of_its_own_on_a_log_axis() {
        let range = Axis::new("", Scale::Log).range([0.0, 10.0, 1_000.0].into_iter());
        assert_eq!(range.ticks(), [0.0, 10.0, 100.0, 1_000.0]);
        assert!(range.place(0.0).abs() < f64::EPSILON);
        assert!((range.place(10.0) - 1.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn numbers_are_short() {
        for (number, text) in [(0.0, "0"), (0.1, "0.1"), (950.0, "950"), (5e3, "5k"), (1.25e6, "1.25M")] {
            assert_eq!(short(number), text);
        }
    }
}
