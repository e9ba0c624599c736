//! The class of an environment, which policies look at.

super::words!(
    /// From the least to the most protected.
    Environment {
        Development = "development",
        Test = "test",
        Staging = "staging",
        Production = "production",
    }
);
