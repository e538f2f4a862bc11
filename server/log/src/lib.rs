//! The log: what is true, in order, for each namespace.
//!
//! Knows records as bytes with revisions and hashes; knows nothing of what the bytes mean.
