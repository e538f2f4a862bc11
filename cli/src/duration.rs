//! Durations as people write them: `500ms`, `5s`, `10m`, `1h`, `7d`; and short forms to show.
//!
//! Knows nothing of what the durations are for.

use std::time::Duration;

/// Units with their length in milliseconds, the longest suffix first where one ends in another.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Reads a whole number with a unit.
///
/// # Errors
/// Says what is wrong with `text`, for the usage error that clap makes of it.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_ms = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, ms)| *ms);
    let (Ok(number), Some(unit_ms)) = (number.parse::<u64>(), unit_ms) else {
        return Err("a duration is a whole number with a unit, such as 500ms, 5s, 10m, 1h or 7d".into());
    };
    match number.checked_mul(unit_ms) {
        Some(0) => Err("a duration must be more than 0".into()),
        Some(ms) => Ok(Duration::from_millis(ms)),
        None => Err(format!("{text} is too long")),
    }
}

/// Seconds in the unit that reads best: `830ns`, `412µs`, `1.42ms`, `3.10s`.
pub(crate) fn short(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s if s >= 1e-6 => (s * 1e6, "µs"),
        s if s > 0.0 => (s * 1e9, "ns"),
        _ => return "0".into(),
    };
    let decimals = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.decimals$}{unit}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{parse, short};

    #[test]
    fn a_whole_number_with_a_unit_is_a_duration() {
        let cases = [("500ms", 500), ("5s", 5_000), ("10m", 600_000), ("1h", 3_600_000), ("7d", 604_800_000)];
        for (text, ms) in cases {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "5", "s", "-1s", "1.5s", "5 s", "0s", "5y", "99999999999999999999s", "999999999999999999d"]
        {
            assert!(parse(text).is_err(), "{text} was taken for a duration");
        }
    }

    #[test]
    fn seconds_are_shown_with_three_digits() {
        let cases = [(0.0, "0"), (8.3e-7, "830ns"), (4.12e-4, "412µs"), (0.00142, "1.42ms"), (3.1, "3.10s")];
        for (seconds, text) in cases {
            assert_eq!(short(seconds), text);
        }
    }
}
