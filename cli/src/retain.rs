//! How much of the log is kept, as people write it: an age such as `30d`, or a size such as `10GiB`.
//!
//! Knows nothing of how the log keeps within it.

use crate::duration;

/// One bound of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retain {
    /// How long events are kept, in seconds.
    Age(u64),
    /// How many bytes of events are kept.
    Size(u64),
}

/// The bounds of the log, at most one of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// How long events are kept, in seconds.
    pub(crate) age_s: Option<u64>,
    /// How many bytes of events are kept.
    pub(crate) bytes: Option<u64>,
}

/// Units of sizes with their length in bytes.
const SIZES: [(&str, u64); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// Reads an age or a size.
///
/// # Errors
/// Says what is wrong with `text`, for the usage error that clap makes of it.
pub(crate) fn parse(text: &str) -> Result<Retain, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if let Some((_, unit_bytes)) = SIZES.iter().find(|(name, _)| *name == unit)
        && let Ok(number) = number.parse::<u64>()
    {
        let bytes = number.checked_mul(*unit_bytes).ok_or_else(|| format!("{text} is too much"))?;
        return Ok(Retain::Size(bytes));
    }
    match duration::parse(text) {
        Ok(age) if age.subsec_millis() == 0 => Ok(Retain::Age(age.as_secs())),
        Ok(_) => Err("an age must be a number of whole seconds".into()),
        Err(_) if !number.is_empty() && unit.is_empty() => {
            Err(format!("{number} has no unit: give an age such as {number}d, or a size such as {number}GiB"))
        }
        Err(_) => Err("give an age such as 12h or 30d (s, m, h, d), or a size such as 500MiB or 10GiB \
             (KiB, MiB, GiB, TiB, kB, MB, GB, TB)"
            .into()),
    }
}

/// The bounds that were given, in any order.
///
/// # Errors
/// Names two of the same kind: nobody can say which was meant.
pub(crate) fn bounds(given: &[Retain]) -> Result<Bounds, String> {
    let mut bounds = Bounds::default();
    for retain in given {
        let (kind, slot, value) = match retain {
            Retain::Age(s) => ("age", &mut bounds.age_s, *s),
            Retain::Size(bytes) => ("size", &mut bounds.bytes, *bytes),
        };
        if slot.replace(value).is_some() {
            return Err(format!("--retain is given two {kind}s: give one age, one size, or one of each"));
        }
    }
    Ok(bounds)
}

#[cfg(test)]
mod tests {
    use super::{Bounds, Retain, bounds, parse};

    #[test]
    fn ages_and_sizes_are_told_apart_by_their_units() {
        let cases = [
            ("30d", Retain::Age(2_592_000)),
            ("12h", Retain::Age(43_200)),
            ("5m", Retain::Age(300)),
            ("2000ms", Retain::Age(2)),
            ("64KiB", Retain::Size(65_536)),
            ("5MB", Retain::Size(5_000_000)),
            ("10GiB", Retain::Size(10_737_418_240)),
            ("1TiB", Retain::Size(1_099_511_627_776)),
        ];
        for (text, retain) in cases {
            assert_eq!(parse(text), Ok(retain), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_to_write_instead() {
        let cases = [
            ("3", "3 has no unit: give an age such as 3d, or a size such as 3GiB"),
            ("5parsecs", "such as 12h or 30d"),
            ("", "such as 12h or 30d"),
            ("GiB", "such as 12h or 30d"),
            ("-1d", "such as 12h or 30d"),
            ("1.5GiB", "such as 12h or 30d"),
            ("0s", "such as 12h or 30d"),
            ("1500ms", "whole seconds"),
            ("99999999999TiB", "99999999999TiB is too much"),
        ];
        for (text, said) in cases {
            let message = parse(text).expect_err("it must be refused");
            assert!(message.contains(said), "{text}: {message}");
        }
    }

    #[test]
    fn one_of_each_kind_is_taken_in_any_order() {
        let both = Bounds { age_s: Some(60), bytes: Some(65_536) };
        assert_eq!(bounds(&[Retain::Age(60), Retain::Size(65_536)]), Ok(both));
        assert_eq!(bounds(&[Retain::Size(65_536), Retain::Age(60)]), Ok(both));
        assert_eq!(bounds(&[]), Ok(Bounds::default()));
        let twice = bounds(&[Retain::Age(60), Retain::Size(1), Retain::Age(60)]).expect_err("two ages");
        assert!(twice.contains("two ages"), "{twice}");
    }
}
