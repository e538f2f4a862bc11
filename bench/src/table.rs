//! Tables for people: a head, rows aligned by column, numbers to the right. And how numbers are written.
//!
//! Knows nothing of what stands in the cells.

use std::fmt::Write as _;

/// What a column holds, which says how it is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Text, to the left.
    Text(&'static str),
    /// A number, to the right.
    Number(&'static str),
}

/// Spaces between columns.
const GAP: usize = 2;

/// Lays rows out under a head; each row has a cell for each column.
pub(crate) fn table(columns: &[Column], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = columns.iter().map(|column| column.head().to_owned()).collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|index| rows.iter().chain([&head]).map(|row| row[index].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in [&head].into_iter().chain(rows) {
        let mut line = String::new();
        for ((column, cell), &width) in columns.iter().zip(row).zip(&widths) {
            let cell = match column {
                Column::Text(_) => format!("{cell:<width$}"),
                Column::Number(_) => format!("{cell:>width$}"),
            };
            line.push_str(&cell);
            line.push_str(&" ".repeat(GAP));
        }
        writeln!(text, "{}", line.trim_end()).expect("a String takes whatever is written to it");
    }
    text
}

impl Column {
    fn head(self) -> &'static str {
        match self {
            Self::Text(head) | Self::Number(head) => head,
        }
    }
}

/// A whole number with its thousands apart: `48,120`.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time with three digits and a unit that fits: `3.81 ms`.
pub(crate) fn time(microseconds: f64) -> String {
    let (value, unit) = match microseconds {
        us if us < 1e3 => (us, "µs"),
        us if us < 1e6 => (us / 1e3, "ms"),
        us => (us / 1e6, "s"),
    };
    let decimals = match value {
        value if value < 10.0 => 2,
        value if value < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

/// An amount of memory in MiB: `1,204 MiB`.
pub(crate) fn mebibytes(bytes: f64) -> String {
    format!("{} MiB", thousands(bytes / 1_048_576.0))
}

/// A ratio with two decimals; a dash if there is none.
pub(crate) fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"))
}

#[cfg(test)]
mod tests {
    use super::{Column, table, thousands, time};

    #[test]
    fn columns_line_up() {
        let rows = [vec!["baton".into(), "16,291".into()], vec!["bare file".into(), "7".into()]];
        let text = table(&[Column::Text("WHO"), Column::Number("RATE/s")], &rows);
        assert_eq!(text, "WHO        RATE/s\nbaton      16,291\nbare file       7\n");
    }

    #[test]
    fn numbers_are_written_for_people() {
        for (number, text) in [(0.0, "0"), (999.4, "999"), (1_000.0, "1,000"), (1_234_567.0, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
        for (us, text) in
            [(9.137, "9.14 µs"), (132.4, "132 µs"), (3_812.0, "3.81 ms"), (12_500_000.0, "12.5 s")]
        {
            assert_eq!(time(us), text);
        }
    }
}
