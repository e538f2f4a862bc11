//! The time of a log line as text, in UTC, with microseconds.
//!
//! A second is put into words once for all lines of a thread that fall into it. Knows nothing of what else is in a line.

use std::{
    cell::RefCell,
    fmt::{self, Write},
};

use chrono::DateTime;

thread_local! {
    /// The second that was written last, and its text.
    static SECOND: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
}

/// Writes a time, in microseconds since the Unix epoch, as in `2026-01-31T12:00:00.000001Z`.
///
/// # Errors
/// It is beyond what a calendar holds, or the writer takes no more.
pub(crate) fn write_time(writer: &mut impl Write, time_us: i64) -> fmt::Result {
    let second = time_us.div_euclid(1_000_000);
    SECOND.with_borrow_mut(|(written, text)| {
        if *written != second {
            let time = DateTime::from_timestamp_secs(second).ok_or(fmt::Error)?;
            text.clear();
            write!(text, "{}", time.format("%Y-%m-%dT%H:%M:%S"))?;
            *written = second;
        }
        writer.write_str(text)
    })?;
    let (mut micros, mut left) = (*b".000000Z", time_us.rem_euclid(1_000_000));
    for digit in micros[1..=6].iter_mut().rev() {
        *digit += (left % 10) as u8;
        left /= 10;
    }
    writer.write_str(str::from_utf8(&micros).map_err(|_| fmt::Error)?)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::write_time;

    #[test]
    fn a_time_is_written_in_full_however_it_follows_on_the_last() {
        let second = 1_800_000_000_000_000;
        for time_us in
            [0, 999_999, 1_000_000, -1, second + 7, second + 123_456, second - 1, second, i64::MIN / 1_000]
        {
            let mut text = String::new();
            write_time(&mut text, time_us).expect("a text takes all");
            let time = DateTime::from_timestamp_micros(time_us).expect("it is in the calendar");
            assert_eq!(text, time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
        }
    }

    #[test]
    fn a_time_beyond_the_calendar_is_an_error() {
        assert!(write_time(&mut String::new(), i64::MAX).is_err());
    }
}
