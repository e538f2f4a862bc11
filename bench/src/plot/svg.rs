//! The few shapes of SVG that plots are made of.

use std::fmt::Write as _;

/// A place or a size, in pixels.
type Pair = (f64, f64);

/// Which end of a text its place is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// A picture in the making.
pub(super) struct Svg(String);

impl Svg {
    /// An empty picture on white, so that it can be read on any page.
    pub(super) fn new((width, height): Pair) -> Self {
        Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" \
             font-family=\"Helvetica, Arial, sans-serif\" fill=\"#24292f\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        ))
    }

    /// What the picture shows, at its top.
    pub(super) fn title(&mut self, text: &str) {
        let text = escaped(text);
        self.add(format_args!("<text x=\"16\" y=\"26\" font-size=\"15\" font-weight=\"bold\">{text}</text>"));
    }

    /// A text.
    pub(super) fn text(&mut self, (x, y): Pair, anchor: Anchor, size: u32, text: &str) {
        let (anchor, text) = (anchor.word(), escaped(text));
        self.add(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\">{text}</text>"
        ));
    }

    /// A text that reads from below, its middle at a place.
    pub(super) fn upright(&mut self, (x, y): Pair, size: u32, text: &str) {
        let text = escaped(text);
        self.add(format_args!(
            "<text transform=\"translate({x:.1} {y:.1}) rotate(-90)\" font-size=\"{size}\" text-anchor=\"middle\">{text}</text>"
        ));
    }

    /// A straight line.
    pub(super) fn line(&mut self, from: Pair, to: Pair, colour: &str, width: f64) {
        self.add(format_args!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"/>",
            from.0, from.1, to.0, to.1
        ));
    }

    /// A line through all points.
    pub(super) fn polyline(&mut self, points: &[Pair], colour: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let points = points.join(" ");
        self.add(format_args!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"
        ));
    }

    /// A point of a line.
    pub(super) fn dot(&mut self, (x, y): Pair, colour: &str) {
        self.add(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>"));
    }

    /// A filled rectangle.
    pub(super) fn rectangle(&mut self, (x, y): Pair, (width, height): Pair, colour: &str) {
        self.add(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\"/>"
        ));
    }

    /// The picture.
    pub(super) fn finish(mut self) -> String {
        self.0.push_str("</svg>\n");
        self.0
    }

    fn add(&mut self, shape: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{shape}").expect("a String takes whatever is written to it");
    }
}

impl Anchor {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
