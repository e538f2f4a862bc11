//! The colours, each by what it means.
//!
//! Knows nothing of terminals: `Output` decides whether a colour is shown.

use anstyle::{AnsiColor, Style};

/// Done as wanted.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Refused or failed.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Worth a look.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
/// What to do next.
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default();
/// A name that the eye should find.
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default();
/// There for those who look for it.
pub(crate) const DIM: Style = Style::new().dimmed();
/// The head of a table, or a title.
pub(crate) const HEAD: Style = Style::new().bold();
