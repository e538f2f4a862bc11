//! Lines of requests beside those that tracing-subscriber writes of the same fields.

use std::time::Duration;

use baton_server::{
    clock::{Clock as _, SystemClock},
    config::{Config, LogFormat, LogRequests},
    log_writer::LogWriter,
    logging,
    request_log::{RequestLine, RequestLog},
};
use chrono::DateTime;
use prometheus_client::metrics::counter::Counter;
use tonic::Code;
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::log_writer::Sink;

/// Texts that a caller may send; the first ones need no escaping.
const TEXTS: [&str; 12] = [
    "acme",
    "a task with spaces ~",
    "",
    r#"in "quotes""#,
    r"back\slash \n",
    "it's",
    "two\nlines\r\nand\ta tab",
    "\0\u{1}\u{8}\u{c}\u{1f}\u{7f}",
    "\u{1b}[31mred\u{1b}[0m",
    "next line \u{85}, line separator \u{2028}, no width \u{200b}",
    "zürich, 東京, 🎉",
    "\u{301}accents e\u{301}",
];

/// What is written into a subscriber that `subscriber` makes.
fn written(subscriber: impl FnOnce(LogWriter) -> Dispatch, write: impl FnOnce()) -> String {
    let sink = Sink::open();
    let (writer, guard) = LogWriter::spawn(sink.clone(), Counter::default()).unwrap();
    dispatcher::with_default(&subscriber(writer), write);
    drop(guard);
    String::from_utf8(sink.written.lock().clone()).unwrap()
}

fn by_baton(format: LogFormat, colour: bool, write: impl FnOnce()) -> String {
    let config = Config { log_format: format, ..Config::default() };
    written(|writer| Dispatch::new(logging::subscriber(&config, writer, colour)), write)
}

fn by_tracing_subscriber(format: LogFormat, colour: bool, write: impl FnOnce()) -> String {
    let subscriber = |writer: LogWriter| {
        let lines = tracing_subscriber::fmt::layer().with_writer(move || writer.clone()).with_ansi(colour);
        let registry = tracing_subscriber::registry();
        match format {
            LogFormat::Text => Dispatch::new(registry.with(lines)),
            LogFormat::Json => {
                let lines = lines.json().flatten_event(true).with_current_span(false).with_span_list(false);
                Dispatch::new(registry.with(lines))
            }
        }
    };
    written(subscriber, write)
}

fn write_all_kinds() {
    let log = RequestLog::new(LogRequests::All);
    let line = RequestLine {
        rpc: "HandoffService/HandOff",
        namespace: None,
        task: None,
        code: Code::Ok,
        duration: Duration::from_micros(1_234),
        error: None,
    };
    for (code, micros) in [(Code::Ok, 0), (Code::Unavailable, 7), (Code::Internal, u64::MAX)] {
        log.write(RequestLine { code, duration: Duration::from_micros(micros), ..line });
    }
    for text in TEXTS {
        log.write(RequestLine { namespace: Some(text), task: Some(text), ..line });
        log.write(RequestLine { code: Code::NotFound, error: Some(text), ..line });
    }
    // A path has no blanks and no line breaks; quotes it may have.
    log.write(RequestLine { rpc: r#"/a"path"\of/{none}'s"#, ..line });
    log.write(RequestLine { code: Code::Aborted, error: Some("percent%0Aencoded%20%C3%BC"), ..line });
    tracing::warn!(target: "baton::other", text = TEXTS[3], number = -1, flag = true, "another line");
}

/// Cuts the time out of a line: what is before and after it, and itself.
fn part(line: &str, format: LogFormat) -> (String, &str) {
    let begin = if format == LogFormat::Json { line.find("20").unwrap() } else { 0 };
    let end = begin + line[begin..].find('Z').unwrap() + 1;
    (format!("{}…{}", &line[..begin], &line[end..]), &line[begin..end])
}

#[test]
fn lines_of_requests_look_as_tracing_subscriber_writes_them() {
    for (format, colour) in [(LogFormat::Text, false), (LogFormat::Text, true), (LogFormat::Json, false)] {
        let own = by_baton(format, colour, write_all_kinds);
        let theirs = by_tracing_subscriber(format, colour, write_all_kinds);
        let count = 3 + 2 * TEXTS.len() + 3;
        assert_eq!((own.lines().count(), theirs.lines().count()), (count, count), "{own}{theirs}");
        for (own, theirs) in own.lines().zip(theirs.lines()) {
            assert_eq!(part(own, format).0, part(theirs, format).0);
        }
    }
}

#[test]
fn each_line_has_the_time_at_which_it_was_written() {
    for format in [LogFormat::Text, LogFormat::Json] {
        let before = SystemClock.now_us();
        let lines = by_baton(format, false, write_all_kinds);
        let after = SystemClock.now_us();
        let mut last = before;
        for line in lines.lines() {
            let (_, time) = part(line, format);
            assert_eq!(time.len(), "2026-01-31T12:00:00.000001Z".len(), "{line}");
            let time = DateTime::parse_from_rfc3339(time).unwrap().timestamp_micros();
            assert!(last <= time && time <= after, "{last} {time} {after}");
            last = time;
        }
    }
}
