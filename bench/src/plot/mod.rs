//! Plots as SVG: horizontal bars, and lines over an axis. One plot says one thing.
//!
//! Knows nothing of what is plotted.

mod axis;
mod svg;

pub(crate) use axis::{Axis, Scale};

use std::{fs, path::Path};

use self::svg::{Anchor, Svg};
use crate::failure::{Failure, While as _};

/// Width of every plot, in pixels.
const WIDTH: f64 = 820.0;
/// Room above the plot itself, for the title.
const TOP: f64 = 48.0;
/// Room below the plot itself, for numbers and the name of the axis.
const BOTTOM: f64 = 56.0;
/// Room to the right, for the last number.
const RIGHT: f64 = 40.0;
/// Room to the left of lines, for numbers and the name of the axis.
const LINES_LEFT: f64 = 92.0;
/// Height of the part of the plot that has lines in it.
const LINES_HEIGHT: f64 = 300.0;
/// Room to the left of bars, for their names.
const BARS_LEFT: f64 = 132.0;
/// Height of one bar and the space below it.
const BAR_PITCH: f64 = 38.0;
/// Height of one bar.
const BAR_HEIGHT: f64 = 24.0;
/// Colours that people with any kind of sight can tell apart (Okabe and Ito).
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
/// The colour of what others are compared with.
const PLAIN: &str = "#8a9099";

/// One bar.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// What stands to its left.
    pub name: String,
    /// How long it is.
    pub value: f64,
    /// What stands at its end.
    pub label: String,
    /// Whether it is what the plot is about.
    pub marked: bool,
}

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Its name, in the legend.
    pub name: String,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
}

/// Horizontal bars, from the top down.
pub(crate) fn bars(title: &str, axis: &Axis, bars: &[Bar]) -> String {
    let height = BAR_PITCH * bars.len() as f64;
    let mut svg = Svg::new((WIDTH, TOP + height + BOTTOM));
    svg.title(title);
    let (left, right) = (BARS_LEFT, WIDTH - RIGHT - 70.0);
    let range = axis.range(bars.iter().map(|bar| bar.value));
    for tick in range.ticks() {
        let x = left + range.place(tick) * (right - left);
        svg.line((x, TOP), (x, TOP + height), "#e3e6ea", 1.0);
        svg.text((x, TOP + height + 18.0), Anchor::Middle, 12, &axis::short(tick));
    }
    svg.text((f64::midpoint(left, right), TOP + height + 42.0), Anchor::Middle, 13, axis.name());
    for (index, bar) in bars.iter().enumerate() {
        let y = TOP + BAR_PITCH * index as f64 + (BAR_PITCH - BAR_HEIGHT) / 2.0;
        let length = (range.place(bar.value) * (right - left)).max(1.0);
        svg.rectangle((left, y), (length, BAR_HEIGHT), if bar.marked { COLOURS[0] } else { PLAIN });
        svg.text((left - 10.0, y + 17.0), Anchor::End, 13, &bar.name);
        svg.text((left + length + 6.0, y + 17.0), Anchor::Start, 12, &bar.label);
    }
    svg.finish()
}

/// Lines, with a legend if there is more than one.
pub(crate) fn lines(title: &str, x: &Axis, y: &Axis, lines: &[Line]) -> String {
    let legend = if lines.len() > 1 { 24.0 } else { 0.0 };
    let (top, left, right) = (TOP + legend, LINES_LEFT, WIDTH - RIGHT);
    let bottom = top + LINES_HEIGHT;
    let mut svg = Svg::new((WIDTH, bottom + BOTTOM));
    svg.title(title);
    let points = || lines.iter().flat_map(|line| line.points.iter());
    let (x_range, y_range) = (x.range(points().map(|point| point.0)), y.range(points().map(|point| point.1)));
    let at = |point: (f64, f64)| {
        (left + x_range.place(point.0) * (right - left), bottom - y_range.place(point.1) * LINES_HEIGHT)
    };
    for tick in y_range.ticks() {
        let (_, place) = at((x_range.start(), tick));
        svg.line((left, place), (right, place), "#e3e6ea", 1.0);
        svg.text((left - 8.0, place + 4.0), Anchor::End, 12, &axis::short(tick));
    }
    for tick in x_range.ticks() {
        let (place, _) = at((tick, y_range.start()));
        svg.line((place, bottom), (place, bottom + 5.0), "#8a9099", 1.0);
        svg.text((place, bottom + 20.0), Anchor::Middle, 12, &axis::short(tick));
    }
    svg.line((left, bottom), (right, bottom), "#8a9099", 1.0);
    svg.text((f64::midpoint(left, right), bottom + 44.0), Anchor::Middle, 13, x.name());
    svg.upright((22.0, f64::midpoint(top, bottom)), 13, y.name());
    let mut legend_x = left;
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let places: Vec<(f64, f64)> = line.points.iter().map(|&point| at(point)).collect();
        svg.polyline(&places, colour);
        // A dot for each point, unless there are so many that they would be the line.
        if places.len() <= 40 {
            places.iter().for_each(|&place| svg.dot(place, colour));
        }
        if lines.len() > 1 {
            svg.rectangle((legend_x, TOP - 4.0), (14.0, 4.0), colour);
            svg.text((legend_x + 20.0, TOP + 3.0), Anchor::Start, 13, &line.name);
            legend_x += 44.0 + 7.4 * line.name.chars().count() as f64;
        }
    }
    svg.finish()
}

/// Writes one plot into `folder`, which is made if it is missing.
///
/// # Errors
/// It cannot be written.
pub(crate) fn save(folder: &Path, name: &str, svg: &str) -> Result<(), Failure> {
    let file = folder.join(format!("{name}.svg"));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, svg))
        .during(format_args!("writing {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::{Axis, Bar, Line, Scale, bars, lines};

    #[test]
    fn text_cannot_break_out_of_a_plot() {
        let bar = Bar { name: "<script> & co".into(), value: 1.0, label: "1".into(), marked: true };
        let svg = bars("a \"title\"", &Axis::new("calls/s", Scale::Linear), &[bar]);
        assert!(svg.contains("&lt;script&gt; &amp; co"), "{svg}");
    }

    #[test]
    fn nothing_is_drawn_at_the_start_of_a_log_axis() {
        let line = Line { name: "rate".into(), points: vec![(0.0, 10.0), (1_000.0, 20.0)] };
        let svg =
            lines("t", &Axis::new("watchers", Scale::Log), &Axis::new("calls/s", Scale::Linear), &[line]);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(svg.contains(">0</text>") && svg.contains(">1k</text>"), "{svg}");
    }
}
