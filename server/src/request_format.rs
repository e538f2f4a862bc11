//! Writes the lines of requests just as tracing-subscriber does, at a fraction of the cost, and leaves all other lines to it.
//!
//! Knows how lines are laid out and which kinds of fields a request has: text, whole numbers and what is displayed. Knows nothing of which
//! fields these are, or of where lines go.

use std::fmt::{self, Debug, Write};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::{
    clock::{Clock as _, SystemClock},
    config::LogFormat,
    log_time::write_time,
    request_log::TARGET,
};

/// The field that is the line's message.
const MESSAGE: &str = "message";

/// Formats lines of requests, and others as `others` does.
pub(crate) struct RequestFormat<F> {
    pub(crate) format: LogFormat,
    pub(crate) others: F,
}

impl<S, N, F> FormatEvent<S, N> for RequestFormat<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        // Colours are for people, who read slowly.
        if event.metadata().target() != TARGET || writer.has_ansi_escapes() {
            return self.others.format_event(context, writer, event);
        }
        match self.format {
            LogFormat::Text => write_text(&mut writer, event),
            LogFormat::Json => write_json(&mut writer, event),
        }
    }
}

fn write_text(writer: &mut Writer<'_>, event: &Event<'_>) -> fmt::Result {
    write_time(writer, SystemClock.now_us())?;
    writer.write_str(match *event.metadata().level() {
        Level::TRACE => " TRACE ",
        Level::DEBUG => " DEBUG ",
        Level::INFO => "  INFO ",
        Level::WARN => "  WARN ",
        Level::ERROR => " ERROR ",
    })?;
    writer.write_str(TARGET)?;
    writer.write_str(":")?;
    let mut fields = TextFields { writer, result: Ok(()) };
    event.record(&mut fields);
    fields.result?;
    writer.write_str("\n")
}

fn write_json(writer: &mut Writer<'_>, event: &Event<'_>) -> fmt::Result {
    writer.write_str(r#"{"timestamp":""#)?;
    write_time(writer, SystemClock.now_us())?;
    writer.write_str(r#"","level":""#)?;
    writer.write_str(event.metadata().level().as_str())?;
    writer.write_str("\"")?;
    let mut fields = JsonFields { writer, result: Ok(()) };
    event.record(&mut fields);
    fields.result?;
    writer.write_str(r#","target":""#)?;
    writer.write_str(TARGET)?;
    writer.write_str("\"}\n")
}

/// Fields as ` name=value`, text in quotes; the message alone.
struct TextFields<'a, 'w> {
    writer: &'a mut Writer<'w>,
    result: fmt::Result,
}

impl TextFields<'_, '_> {
    fn field(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        self.result = self.result.and_then(|()| {
            self.writer.write_str(" ")?;
            if field.name() != MESSAGE {
                self.writer.write_str(field.name())?;
                self.writer.write_str("=")?;
            }
            value(self.writer)
        });
    }
}

impl Visit for TextFields<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, |writer| {
            if value.bytes().any(|byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\')) {
                return write!(writer, "{value:?}");
            }
            writer.write_str("\"")?;
            writer.write_str(value)?;
            writer.write_str("\"")
        });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.field(field, |writer| write!(writer, "{value:?}"));
    }
}

/// Fields as `,"name":value`.
struct JsonFields<'a, 'w> {
    writer: &'a mut Writer<'w>,
    result: fmt::Result,
}

impl JsonFields<'_, '_> {
    fn field(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        self.result = self.result.and_then(|()| {
            self.writer.write_str(",\"")?;
            self.writer.write_str(field.name())?;
            self.writer.write_str("\":")?;
            value(self.writer)
        });
    }
}

impl Visit for JsonFields<'_, '_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, |writer| write!(writer, "{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, |writer| {
            writer.write_str("\"")?;
            Escaping(writer).write_str(value)?;
            writer.write_str("\"")
        });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.field(field, |writer| {
            writer.write_str("\"")?;
            write!(Escaping(writer), "{value:?}")?;
            writer.write_str("\"")
        });
    }
}

/// Writes what stands between the quotes of a JSON string.
struct Escaping<'a, 'w>(&'a mut Writer<'w>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | ..b' ')) {
            self.0.write_str(&rest[..at])?;
            match rest.as_bytes()[at] {
                b'"' => self.0.write_str("\\\"")?,
                b'\\' => self.0.write_str("\\\\")?,
                b'\n' => self.0.write_str("\\n")?,
                b'\r' => self.0.write_str("\\r")?,
                b'\t' => self.0.write_str("\\t")?,
                0x08 => self.0.write_str("\\b")?,
                0x0c => self.0.write_str("\\f")?,
                control => write!(self.0, "\\u{control:04x}")?,
            }
            rest = &rest[at + 1..];
        }
        self.0.write_str(rest)
    }
}
