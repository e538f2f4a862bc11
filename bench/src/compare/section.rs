//! One question that is put to several contenders: its rows, and the ratios that answer it.

use serde::Serialize;

use crate::{
    drive::{Latency, Measured, Series},
    table::{Column, ratio, table, thousands, time},
};

/// What was measured of one question.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    /// A short name, for files and JSON.
    pub name: &'static str,
    /// What was done, for people.
    pub title: String,
    /// How it was done, and what was left out; empty if there is nothing to say.
    pub detail: String,
    /// One for each contender, in their order.
    pub rows: Vec<Row>,
    /// What the rows come to.
    pub findings: Vec<Finding>,
}

/// What one contender did.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// Its name.
    pub who: &'static str,
    /// Median of the rounds, per second.
    pub rate: f64,
    /// Of each round, per second.
    pub rates: Vec<f64>,
    /// In microseconds: medians of the rounds; the longest of all.
    pub latency_us: Latency,
    /// Median over the rounds of its rate as a share of the echo's; absent without an echo.
    pub ratio_to_echo: Option<f64>,
    /// What else there is to say.
    pub note: String,
}

/// A ratio within the run, and what it should be.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    /// What is set against what.
    pub what: String,
    /// The median over the rounds.
    pub ratio: f64,
    /// What is aimed at, as in `at least 0.75`; empty if nothing is.
    pub target: &'static str,
}

/// The rounds of each contender, as they come in.
#[derive(Default)]
pub(crate) struct Rounds {
    entries: Vec<(&'static str, Series, String)>,
}

impl Rounds {
    /// Adds a round of `who`.
    pub(crate) fn push(&mut self, who: &'static str, round: Measured) {
        if let Some((_, series, _)) = self.entries.iter_mut().find(|(name, ..)| *name == who) {
            series.push(round);
            return;
        }
        let mut series = Series::default();
        series.push(round);
        self.entries.push((who, series, String::new()));
    }

    /// Says something about the rounds of `who`.
    pub(crate) fn note(&mut self, who: &str, text: String) {
        if let Some((.., note)) = self.entries.iter_mut().find(|(name, ..)| *name == who) {
            *note = text;
        }
    }

    /// The rounds of `who`.
    pub(crate) fn of(&self, who: &str) -> Option<&Series> {
        self.entries.iter().find(|(name, ..)| *name == who).map(|(_, series, _)| series)
    }

    /// The median over the rounds of a figure of one as a share of that of another; no finding if one of them was not measured.
    pub(crate) fn finding(
        &self,
        what: &str,
        [one, other]: [&str; 2],
        figure: impl Fn(&Measured) -> f64,
        target: &'static str,
    ) -> Option<Finding> {
        let ratio = self.of(one)?.ratio(self.of(other)?, figure)?;
        Some(Finding { what: what.to_owned(), ratio, target })
    }

    /// The rows, with ratios to the echo.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let echo = self.of("echo");
        let row = |(who, series, note): &(&'static str, Series, String)| Row {
            who,
            rate: series.rate(),
            rates: series.rates(),
            latency_us: series.latency(),
            ratio_to_echo: echo.and_then(|echo| series.ratio(echo, Measured::rate)),
            note: note.clone(),
        };
        self.entries.iter().map(row).collect()
    }
}

impl Section {
    /// The section as a table with its findings below, for people.
    pub(crate) fn text(&self) -> String {
        let columns = [
            Column::Text("WHO"),
            Column::Number("RATE/s"),
            Column::Number("P50"),
            Column::Number("P90"),
            Column::Number("P99"),
            Column::Number("MAX"),
            Column::Number("× ECHO"),
            Column::Text("NOTE"),
        ];
        let rows: Vec<Vec<String>> = self.rows.iter().map(Row::cells).collect();
        let findings: Vec<String> = self.findings.iter().map(Finding::line).collect();
        let detail = if self.detail.is_empty() { String::new() } else { format!("; {}", self.detail) };
        format!("{}{detail}\n\n{}\n{}", self.title, table(&columns, &rows), findings.concat())
    }
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let latency = &self.latency_us;
        vec![
            self.who.to_owned(),
            thousands(self.rate),
            time(latency.p50),
            time(latency.p90),
            time(latency.p99),
            time(latency.max),
            ratio(self.ratio_to_echo),
            self.note.clone(),
        ]
    }
}

impl Finding {
    fn line(&self) -> String {
        let target = if self.target.is_empty() { String::new() } else { format!("  (aim: {})", self.target) };
        format!("{}: {:.2}{target}\n", self.what, self.ratio)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Rounds;
    use crate::drive::Measured;

    fn round(units: u64) -> Measured {
        let mut measured = Measured::new(Duration::from_secs(1));
        measured.record(units, Duration::from_micros(10));
        measured
    }

    #[test]
    fn rows_are_set_against_the_echo_of_their_own_round() {
        let mut rounds = Rounds::default();
        for (baton, echo) in [(60, 100), (7, 10), (80, 100)] {
            rounds.push("baton", round(baton));
            rounds.push("echo", round(echo));
        }
        let rows = rounds.rows();
        let ratio = rows[0].ratio_to_echo.expect("there is an echo");
        assert!((ratio - 0.7).abs() < 1e-9, "{ratio}");
        assert!(rounds.finding("", ["baton", "redis"], Measured::rate, "").is_none());
    }
}
