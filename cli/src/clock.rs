//! Times for people: local, and short where the day is today.
//!
//! Knows nothing of JSON, where times are RFC 3339.

use chrono::{DateTime, Local, Utc};

/// `14:03:21` if it was today, `2026-03-05 14:03` otherwise.
pub(crate) fn short(time: DateTime<Utc>) -> String {
    short_at(time, Utc::now())
}

/// A time to the millisecond, for lines that follow one another closely: `14:03:21.042`.
pub(crate) fn precise(time: DateTime<Utc>) -> String {
    time.with_timezone(&Local).format("%H:%M:%S%.3f").to_string()
}

/// Date and time to the second.
pub(crate) fn full(time: DateTime<Utc>) -> String {
    time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S").to_string()
}

fn short_at(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let (time, now) = (time.with_timezone(&Local), now.with_timezone(&Local));
    let form = if time.date_naive() == now.date_naive() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M" };
    time.format(form).to_string()
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};

    use super::short_at;

    #[test]
    fn the_day_is_shown_only_if_it_is_another() {
        let now = Utc::now();
        assert_eq!(short_at(now, now).len(), "14:03:21".len());
        assert_eq!(short_at(now - TimeDelta::days(3), now).len(), "2026-03-05 14:03".len());
    }
}
