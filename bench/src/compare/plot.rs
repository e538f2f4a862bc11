//! Plots of a comparison: rates as bars, and latencies as bars, a file for each question.

use std::path::Path;

use super::{Row, Section};
use crate::{
    failure::Failure,
    plot::{Axis, Bar, Scale, bars, save},
    table::{thousands, time},
};

/// Rates that lie further apart than this are drawn by powers of ten.
const LINEAR_SPAN_MAX: f64 = 20.0;

/// Writes the plots of all sections into `folder`.
///
/// # Errors
/// They cannot be written.
pub(super) fn write(folder: &Path, sections: &[Section]) -> Result<(), Failure> {
    for section in sections {
        let title = |what: &str| format!("{what} – {}", section.title);
        if section.name != "open" {
            let rates = of_rows(section, |row| row.rate, thousands);
            save(
                folder,
                &format!("compare-{}-rate", section.name),
                &drawn(&title("Rate"), "per second", &rates),
            )?;
        }
        if section.name == "batch" {
            // A batch and a write of several are not the same thing to wait for.
            continue;
        }
        let latencies = of_rows(section, |row| row.latency_us.p50, time);
        let name = format!("compare-{}-p50", section.name);
        save(folder, &name, &drawn(&title("Median latency"), "microseconds", &latencies))?;
        let latencies = of_rows(section, |row| row.latency_us.p99, time);
        let name = format!("compare-{}-p99", section.name);
        save(folder, &name, &drawn(&title("99th percentile"), "microseconds", &latencies))?;
    }
    Ok(())
}

fn of_rows(section: &Section, value: fn(&Row) -> f64, label: fn(f64) -> String) -> Vec<Bar> {
    let bar = |row: &Row| Bar {
        name: row.who.to_owned(),
        value: value(row),
        label: label(value(row)),
        marked: row.who == "baton",
    };
    section.rows.iter().map(bar).collect()
}

fn drawn(title: &str, unit: &str, of: &[Bar]) -> String {
    let values = || of.iter().map(|bar| bar.value).filter(|&value| value > 0.0);
    let (least, most) = (values().fold(f64::MAX, f64::min), values().fold(0.0, f64::max));
    let (name, scale) = if most > least * LINEAR_SPAN_MAX {
        (format!("{unit}, by powers of ten"), Scale::Log)
    } else {
        (unit.to_owned(), Scale::Linear)
    };
    bars(title, &Axis::new(name, scale), of)
}
