//! `{id}` in a path: `name-vN` is that version, `name` the active one, a UUID the intent whatever its name.

use std::fmt;

use crate::id::{IdError, IntentName, IntentUid, split_version};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum IntentRef {
    Active(IntentName),
    Version(IntentName, u32),
    Uid(IntentUid),
}

impl IntentRef {
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if let Ok(uid) = IntentUid::parse(text) {
            return Ok(Self::Uid(uid));
        }
        match split_version(text) {
            Some((name, version)) => IntentName::new(name).map(|name| Self::Version(name, version)),
            None => IntentName::new(text).map(Self::Active),
        }
    }
}

impl fmt::Display for IntentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active(name) => name.fmt(f),
            Self::Version(name, version) => write!(f, "{name}-v{version}"),
            Self::Uid(uid) => uid.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_as_it_was_written() {
        for text in ["deploy-web-app", "deploy-web-app-v12", "0198c0de-0000-7000-8000-000000000000"] {
            assert_eq!(IntentRef::parse(text).unwrap().to_string(), text);
        }
        assert!(IntentRef::parse("Deploy").is_err());
    }
}
