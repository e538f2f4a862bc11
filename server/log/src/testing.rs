//! The contract suite: what every log promises, as checks that any implementation can be put through.
