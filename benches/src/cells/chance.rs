//! Chance that comes from numbers: the same numbers always give the same.

use fastrand::Rng;

/// A generator that is seeded with all of them. One after another, since generators whose seeds are near each other
/// begin alike.
///
/// What comes out may change with a version of the library: good for a run, not for a hash that routes real tenants.
pub fn chance(words: &[u64]) -> Rng {
    let seed = words.iter().fold(0, |seed, word| Rng::with_seed(seed ^ word).u64(..));
    Rng::with_seed(seed)
}
