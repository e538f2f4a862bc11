//! A watcher misses nothing: every matching event once and in order, wherever it begins and however slow it is.

mod filters;
mod interests;
mod places;
mod slow;
mod snapshots;
