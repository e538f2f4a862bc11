//! Tables and key/value lists for people: aligned, without borders, cut or broken at the terminal's edge.
//!
//! Knows nothing of what stands in the cells.

use anstyle::Style;
use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, Row, Table as Grid, presets::NOTHING,
};

use crate::{
    failure::Failure,
    output::{Output, plain, wrapped},
    style,
};

/// What a column holds, which says how it is aligned and whether it gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Short text: never cut.
    Text(&'static str),
    /// A number: to the right.
    Number(&'static str),
    /// Long text: cut with `…` where the terminal ends. At most one per table, and the last one.
    Long(&'static str),
}

/// Narrowest that a long column gets, in columns of the terminal; below that lines may wrap.
const LONG_WIDTH_MIN: usize = 12;

/// Rows of cells under a head.
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<(Vec<String>, Style)>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row, one cell per column.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.styled(Style::new(), cells);
    }

    /// Adds a row that stands out, or back.
    pub(crate) fn styled<const N: usize>(&mut self, style: Style, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len(), "one cell per column");
        self.rows.push((cells.iter().map(|cell| plain(cell)).collect(), style));
    }

    /// Writes head and rows; without rows only a note to stderr that there is nothing.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(crate) fn write(&self, output: &mut Output) -> Result<(), Failure> {
        if self.rows.is_empty() {
            output.note("none");
            return Ok(());
        }
        let styles = std::iter::once(style::HEAD).chain(self.rows.iter().map(|(_, style)| *style));
        for (line, style) in self.grid(output.width()).lines().zip(styles) {
            let line = output.paint(style, line.trim_end());
            output.line(line)?;
        }
        Ok(())
    }

    fn grid(&self, width: Option<usize>) -> Grid {
        let mut grid = Grid::new();
        grid.load_style(NOTHING).set_truncation_indicator("…");
        grid.set_header(self.columns.iter().map(|column| column.head()).collect::<Vec<_>>());
        for (cells, _) in &self.rows {
            let mut row = Row::from(cells.clone());
            // One line per row, so that each can be coloured, and counted by `wc -l`.
            row.max_height(1);
            grid.add_row(row);
        }
        for (column, kind) in grid.column_iter_mut().zip(&self.columns) {
            column.set_padding((0, 2));
            if matches!(kind, Column::Number(_)) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self.fit(&mut grid, width);
        grid
    }

    /// Narrows the long column, if there is one, so that lines end at the terminal's edge.
    fn fit(&self, grid: &mut Grid, width: Option<usize>) {
        let (Some(width), Some(Column::Long(_))) = (width, self.columns.last()) else { return };
        let widths = grid.column_max_content_widths();
        let others: usize = widths.iter().rev().skip(1).map(|&width| usize::from(width) + 2).sum();
        let rest = width.saturating_sub(others).max(LONG_WIDTH_MIN);
        if usize::from(widths.last().copied().unwrap_or_default()) <= rest {
            return;
        }
        grid.set_content_arrangement(ContentArrangement::Dynamic);
        grid.set_width(u16::try_from(others + rest + 2).unwrap_or(u16::MAX));
        let last = self.columns.len() - 1;
        for (index, column) in grid.column_iter_mut().enumerate() {
            column.set_constraint(if index == last {
                ColumnConstraint::Absolute(comfy_table::Width::Fixed(
                    u16::try_from(rest + 2).unwrap_or(u16::MAX),
                ))
            } else {
                ColumnConstraint::ContentWidth
            });
        }
    }
}

impl Column {
    fn head(self) -> &'static str {
        match self {
            Self::Text(head) | Self::Number(head) | Self::Long(head) => head,
        }
    }
}

/// Names and values of one thing, a line each.
#[derive(Default)]
pub(crate) struct Details {
    lines: Vec<(&'static str, String)>,
}

impl Details {
    /// No lines yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a line, unless the value is empty: what is absent takes no room.
    pub(crate) fn line(&mut self, name: &'static str, value: impl ToString) -> &mut Self {
        let value = value.to_string();
        if !value.is_empty() {
            self.lines.push((name, value));
        }
        self
    }

    /// Adds a value that has lines of its own: the first beside the name, the others below it.
    pub(crate) fn lines<I: IntoIterator<Item = String>>(
        &mut self,
        name: &'static str,
        values: I,
    ) -> &mut Self {
        for (index, value) in values.into_iter().enumerate() {
            self.lines.push((if index == 0 { name } else { "" }, value));
        }
        self
    }

    /// Writes the lines, values aligned; long ones go on below where the terminal ends.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(crate) fn write(&self, output: &mut Output) -> Result<(), Failure> {
        let width = self.lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (name, value) in &self.lines {
            let room = output.width().map(|columns| columns.saturating_sub(width + 2).max(LONG_WIDTH_MIN));
            for (index, line) in wrapped(value, room).iter().enumerate() {
                let name =
                    output.paint(style::DIM, format_args!("{:width$}", if index == 0 { name } else { "" }));
                output.line(format_args!("{name}  {line}"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, Table};

    fn lines(width: Option<usize>) -> Vec<String> {
        let mut table =
            Table::new(&[Column::Text("TASK"), Column::Number("EPOCH"), Column::Long("DESCRIPTION")]);
        table.row(["t-1".into(), "2".into(), "an invoice was charged twice".into()]);
        table.row(["long-id-7".into(), "14".into(), "two\nlines".into()]);
        table.grid(width).lines().map(|line| line.trim_end().to_owned()).collect()
    }

    #[test]
    fn columns_line_up_and_every_row_is_one_line() {
        let expected = [
            "TASK       EPOCH  DESCRIPTION",
            "t-1            2  an invoice was charged twice",
            "long-id-7     14  two lines",
        ];
        assert_eq!(lines(None), expected);
    }

    #[test]
    fn only_the_long_column_is_cut_at_the_terminals_edge() {
        let lines = lines(Some(36));
        assert_eq!(lines[1], "t-1            2  an invoice was…");
        assert!(lines.iter().all(|line| line.chars().count() <= 36), "{lines:#?}");
    }
}
