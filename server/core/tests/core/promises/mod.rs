//! What the core promises, one promise a test.

mod archived;
mod checkpoints;
mod figures;
mod handoffs;
mod histories;
mod ids;
mod life;
mod open_handoffs;
mod ownership;
mod paths;
mod records;
mod requests;
mod rules;
mod segments;
mod sharing;
mod transfers;
mod under_way;
mod updates;
