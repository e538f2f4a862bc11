//! Clocks and how times are written.

use std::sync::Arc;

use baton_server::clock::{Clock, ManualClock, SystemClock, format_us};

#[test]
fn a_manual_clock_moves_only_when_told_and_its_clones_with_it() {
    let clock = ManualClock::at(1_000);
    let seen: Arc<dyn Clock> = Arc::new(clock.clone());
    assert_eq!(seen.now_us(), 1_000);
    assert_eq!(clock.advance(500), 1_500);
    assert_eq!(seen.now_us(), 1_500);
    clock.set(-5);
    assert_eq!(seen.now_us(), -5);
}

#[test]
fn the_system_clock_agrees_with_the_system() {
    let before = chrono::Utc::now().timestamp_micros();
    let now = SystemClock.now_us();
    let after = chrono::Utc::now().timestamp_micros();
    assert!(before <= now && now <= after, "{before} {now} {after}");
}

#[test]
fn times_are_written_to_the_microsecond_in_utc() {
    assert_eq!(format_us(0), "1970-01-01T00:00:00.000000Z");
    assert_eq!(format_us(1_767_323_045_678_901), "2026-01-02T03:04:05.678901Z");
    assert_eq!(format_us(-1), "1969-12-31T23:59:59.999999Z");
    assert_eq!(format_us(i64::MAX), "9223372036854775807 µs");
}
