//! The colours, each by what it means.
//!
//! Knows nothing of terminals: `Output` decides whether a colour is shown.

use anstyle::{AnsiColor, Style};

/// Done as wanted.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Refused or failed.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Worth a look.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// What to do next.
pub const HINT: Style = AnsiColor::Cyan.on_default();
/// A name that the eye should find.
pub const NAME: Style = AnsiColor::Cyan.on_default();
/// There for those who look for it.
pub const DIM: Style = Style::new().dimmed();
/// The head of a table, or a title.
pub const HEAD: Style = Style::new().bold();
