//! Seeds of random tests: printed, and taken back from the environment.

/// The seed of this run: `BATON_SEED`, or a new one.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("BATON_SEED").ok();
    let seed = given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("BATON_SEED is a number"));
    eprintln!("BATON_SEED={seed}");
    seed
}
