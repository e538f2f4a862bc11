//! Writes data to stdout in the chosen format, and messages for people to stderr.
//!
//! Knows nothing of the commands: they say what a thing is as JSON and how it looks to a person.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

use anstyle::Style;
use clap::ValueEnum;
use serde::Serialize;

use crate::{args::ColorWhen, failure::Failure};

/// How data is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for people.
    Table,
    /// One indented JSON value.
    Json,
    /// One JSON value per line.
    Jsonl,
}

/// The process's stdout and stderr.
pub(crate) struct Output {
    format: Format,
    color_out: bool,
    color_err: bool,
    width: Option<usize>,
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
}

impl Output {
    /// The real stdout and stderr. Colour goes to terminals only, unless `color` says otherwise.
    pub(crate) fn new(format: Format, color: ColorWhen) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let terminal = out.is_terminal();
        let colored = |is_terminal: bool| match color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => {
                is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        };
        Self {
            format,
            color_out: colored(terminal),
            color_err: colored(err.is_terminal()),
            // Only a terminal has an edge to respect; a file or a pipe gets every character.
            width: if terminal {
                terminal_size::terminal_size().map(|(width, _)| width.0.into())
            } else {
                None
            },
            out: Box::new(out),
            err: Box::new(err),
        }
    }

    /// The chosen format.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Whether stdout is for people.
    pub(crate) fn is_table(&self) -> bool {
        self.format == Format::Table
    }

    /// Columns of the terminal, if stdout is one.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// Writes one thing: `human` says how it looks in a table.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(crate) fn one<T: Serialize>(
        &mut self,
        thing: &T,
        human: impl FnOnce(&mut Self, &T) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table => human(self, thing),
            Format::Json | Format::Jsonl => self.json(thing),
        }
    }

    /// Writes many things: an array as JSON, a line each as JSON lines.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(crate) fn many<T: Serialize>(
        &mut self,
        things: &[T],
        human: impl FnOnce(&mut Self, &[T]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table => human(self, things),
            Format::Json => self.json(&things),
            Format::Jsonl => things.iter().try_for_each(|thing| self.json_line(thing)),
        }
    }

    /// Writes one value in the chosen JSON format.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(crate) fn json<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        if self.format == Format::Jsonl {
            return self.json_line(value);
        }
        serde_json::to_writer_pretty(&mut self.out, value).map_err(io::Error::from)?;
        self.out.write_all(b"\n")?;
        Ok(self.out.flush()?)
    }

    /// Writes one value on one line: the form of streams, in which a reader takes line by line.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(crate) fn json_line<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.out, value).map_err(io::Error::from)?;
        self.out.write_all(b"\n")?;
        Ok(self.out.flush()?)
    }

    /// Writes one line of data.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(crate) fn line(&mut self, text: impl Display) -> Result<(), Failure> {
        writeln!(self.out, "{text}")?;
        Ok(self.out.flush()?)
    }

    /// Writes text as it is: completions, rendered tables.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes)?;
        Ok(self.out.flush()?)
    }

    /// Writes a message for people. A stderr that is gone is nobody's loss.
    pub(crate) fn note(&mut self, text: impl Display) {
        let _nobody_reads = writeln!(self.err, "{text}");
    }

    /// `text` in `style`, if stdout shows colour.
    pub(crate) fn paint(&self, style: Style, text: impl Display) -> String {
        painted(self.color_out, style, text)
    }

    /// `text` in `style`, if stderr shows colour.
    pub(crate) fn paint_note(&self, style: Style, text: impl Display) -> String {
        painted(self.color_err, style, text)
    }
}

fn painted(color: bool, style: Style, text: impl Display) -> String {
    let text = text.to_string();
    if color && !text.is_empty() { format!("{style}{text}{style:#}") } else { text }
}

/// `text` without control characters: what others wrote must not steer the reader's terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `text` in lines of at most `width` characters, broken between words; as it is where it fits, or without a width.
pub(crate) fn wrapped(text: &str, width: Option<usize>) -> Vec<String> {
    let text = plain(text);
    let Some(width) = width.filter(|&width| text.chars().count() > width) else { return vec![text] };
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{plain, wrapped};

    #[test]
    fn long_text_is_broken_between_words_where_there_is_an_edge() {
        assert_eq!(wrapped("say why it is handed on", Some(11)), ["say why it", "is handed", "on"]);
        assert_eq!(wrapped("unbreakable x", Some(5)), ["unbreakable", "x"]);
        assert_eq!(wrapped("say why", None), ["say why"]);
    }

    #[test]
    fn text_of_others_cannot_steer_the_terminal() {
        assert_eq!(plain("a\x1b[2Jb\nc\u{9b}d"), "a [2Jb c d");
        assert_eq!(plain("größe → 5"), "größe → 5");
    }
}
