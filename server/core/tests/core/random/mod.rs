//! The core against the plain world, over random operations.

mod archive;
mod comparison;
mod difference;
mod generator;
mod refusals;
mod replays;
mod run;
mod segments;
mod stored;
mod to_core;
