//! The command that goes on where a watch stopped, with everything that the first one was given.
//!
//! Knows nothing of why it stopped, but for the errors that leave a gap.

use baton_client::Error;

use super::WatchArgs;
use crate::{args::ColorWhen, failure::Failure, output::Format, session::Session};

/// Where a watch is to go on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    /// Where the first one was to begin: nothing has come yet.
    AsGiven,
    /// At this revision of this log; any log if it is empty.
    Revision { first: u64, log_id: &'a str },
    /// With what is open now.
    Snapshot,
}

/// The command line.
pub(super) fn command(args: &WatchArgs, session: &Session<'_>, place: Place<'_>) -> String {
    let mut line = Line("baton watch".to_owned());
    match place {
        Place::Revision { first, log_id } => line.place(first, log_id),
        Place::AsGiven => {
            args.from_revision
                .iter()
                .for_each(|first| line.place(*first, args.log_id.as_deref().unwrap_or_default()));
            line.flag("--snapshot", args.snapshot);
        }
        Place::Snapshot => line.flag("--snapshot", true),
    }
    args.tasks.iter().for_each(|task| line.option("--task", task));
    args.agents.iter().for_each(|agent| line.option("--agent", agent));
    args.types.iter().for_each(|kind| line.option("--type", kind.as_str()));
    line.flag("--all", args.all);
    args.until.iter().for_each(|kind| line.option("--until", kind.as_str()));
    args.exec.iter().for_each(|exec| line.option("--exec", exec));
    line.flag("--keep-going", args.keep_going);
    line.everywhere(session);
    line.0
}

/// Says why a watch ended before it was told to, and how to go on: after a gap, what is gone too.
pub(super) fn failure(error: Error, args: &WatchArgs, session: &Session<'_>, place: Place<'_>) -> Failure {
    let has_begun = matches!(place, Place::Revision { .. });
    let (wanted, log_id) = match place {
        Place::Revision { first, log_id } => (first, log_id),
        Place::AsGiven | Place::Snapshot => {
            (args.from_revision.unwrap_or_default(), args.log_id.as_deref().unwrap_or_default())
        }
    };
    let again = |place| command(args, session, place);
    match &error {
        Error::Compacted { oldest, .. } => {
            let kept = again(Place::Revision { first: *oldest, log_id });
            let open = again(Place::Snapshot);
            let gone = format!("revisions {wanted} to {} are gone", oldest.saturating_sub(1));
            let ways = format!("what is kept: {kept}\n      what is open now, and then what happens: {open}");
            Failure::from(error).more([gone]).hint(ways)
        }
        Error::LogMismatch { .. } => {
            let open = again(Place::Snapshot);
            Failure::from(error).hint(format!("what is open now, and then what happens: {open}"))
        }
        _ if has_begun => Failure::from(error).hint(format!("resume with: {}", again(place))),
        _ => error.into(),
    }
}

/// A command line that grows word by word.
struct Line(String);

impl Line {
    fn place(&mut self, first: u64, log_id: &str) {
        self.option("--from-revision", &first.to_string());
        if !log_id.is_empty() {
            self.option("--log-id", log_id);
        }
    }

    fn everywhere(&mut self, session: &Session<'_>) {
        let globals = &session.globals;
        globals.namespace.iter().for_each(|namespace| self.option("--namespace", namespace));
        if session.addr_is_given {
            self.option("--addr", &globals.addr);
        }
        globals
            .deadline
            .iter()
            .for_each(|deadline| self.option("--deadline", &format!("{}ms", deadline.as_millis())));
        if globals.output != Format::Table {
            self.option("--output", value_name(&globals.output).as_deref().unwrap_or_default());
        }
        if globals.color != ColorWhen::Auto {
            self.option("--color", value_name(&globals.color).as_deref().unwrap_or_default());
        }
    }

    /// An option with its value, in one word if the value would be taken for an option itself.
    fn option(&mut self, name: &str, value: &str) {
        let between = if value.starts_with('-') { '=' } else { ' ' };
        self.0.extend([" ", name]);
        self.0.push(between);
        self.0.push_str(&shell_word(value));
    }

    fn flag(&mut self, name: &str, is_given: bool) {
        if is_given {
            self.0.extend([" ", name]);
        }
    }
}

/// What stands for `value` on the command line.
fn value_name(value: &impl clap::ValueEnum) -> Option<String> {
    value.to_possible_value().map(|possible| possible.get_name().to_owned())
}

/// `text` as one word of a shell command.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use tonic::Status;

    use super::*;
    use crate::{
        args::{Cli, Command},
        output::Output,
    };

    #[test]
    fn a_gap_is_told_with_its_revisions_and_both_ways_to_go_on() {
        let compacted =
            || Error::Compacted { oldest: 100, newest: 200, status: Status::out_of_range("compacted") };
        let cases = [
            // Refused at once, and after revision 71 had been shown.
            (Place::AsGiven, "revisions 42 to 99 are gone"),
            (Place::Revision { first: 72, log_id: "log-1" }, "revisions 72 to 99 are gone"),
        ];
        for (place, gone) in cases {
            let line = ["baton", "watch", "--from-revision", "42", "--log-id", "log-1", "--task", "t 1"];
            let cli = Cli::try_parse_from(line).expect("the line is well-formed");
            let Command::Watch(args) = cli.command else { panic!("it is a watch") };
            let mut output = Output::new(Format::Table, ColorWhen::Never);
            let session = Session { globals: cli.globals, addr_is_given: false, output: &mut output };
            let failure = failure(compacted(), &args, &session, place);
            assert_eq!(failure.messages()[1..], [gone]);
            let hint = failure.hint_text().unwrap_or_default();
            assert!(
                hint.contains("kept: baton watch --from-revision 100 --log-id log-1 --task 't 1'\n"),
                "{hint}"
            );
            assert!(hint.ends_with(": baton watch --snapshot --task 't 1'"), "{hint}");
        }
    }

    #[test]
    fn what_the_shell_would_take_apart_is_quoted() {
        let cases = [
            ("t-1", "t-1"),
            ("two words", "'two words'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
            ("$x", "'$x'"),
            ("a\nb", "'a\nb'"),
        ];
        for (text, word) in cases {
            assert_eq!(shell_word(text), word);
        }
    }
}
