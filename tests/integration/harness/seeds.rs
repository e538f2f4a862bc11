//! Seeds of random tests: printed, and taken from the environment.

/// The seed of a run that is not told otherwise: the same each time, so that what fails here fails there.
const SEED: u64 = 1;

/// The seed of this run: `BATON_SEED`, or [`SEED`].
pub(crate) fn seed() -> u64 {
    let given = std::env::var("BATON_SEED").ok();
    let seed = given.map_or(SEED, |seed| seed.parse().expect("BATON_SEED is a number"));
    eprintln!("BATON_SEED={seed}");
    seed
}
