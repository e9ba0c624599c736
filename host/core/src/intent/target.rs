//! From the free text `target` to the class of environment that policies look at.

use std::collections::BTreeMap;

use crate::vocabulary::Environment;

/// No target: development. A target that is neither a class nor mapped by the tenant: production, the strictest.
pub fn environment_of(target: Option<&str>, targets: &BTreeMap<String, Environment>) -> Environment {
    match target {
        None => Environment::Development,
        Some(name) => {
            Environment::parse(name).or_else(|| targets.get(name).copied()).unwrap_or(Environment::Production)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unmapped_target_is_treated_as_production() {
        let targets = BTreeMap::from([("stage-eu".to_owned(), Environment::Staging)]);
        assert_eq!(environment_of(None, &targets), Environment::Development);
        assert_eq!(environment_of(Some("test"), &targets), Environment::Test);
        assert_eq!(environment_of(Some("stage-eu"), &targets), Environment::Staging);
        assert_eq!(environment_of(Some("moon-base"), &targets), Environment::Production);
    }
}
