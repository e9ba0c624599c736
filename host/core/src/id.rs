//! Ids: newtypes that are checked once, where they enter, and are never reused.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not an id. Fits after "failed to read the id".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no {kind}: {rule}")]
pub struct IdError {
    pub kind: &'static str,
    pub text: String,
    pub rule: &'static str,
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:expr, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                if $check(text) {
                    return Ok(Self(text.into()));
                }
                Err(IdError { kind: $kind, text: text.chars().take(80).collect(), rule: $rule })
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.to_string()
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
    };
}

macro_rules! uid {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }

            pub fn parse(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError {
                    kind: $kind,
                    text: text.chars().take(80).collect(),
                    rule: "it is a UUID such as 0198c0de-0000-7000-8000-000000000000",
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }
    };
}

uid!(
    /// What one node asks of another.
    CommandId, "command id"
);

slug!(
    /// A tenant, for example `tenant-123`.
    TenantId, "tenant id", is_tenant, "it is 1 to 63 characters of a-z, 0-9 and -, and starts with a letter"
);
slug!(
    /// The name of an intent, unique in its tenant and never reused.
    IntentName, "intent name", is_intent_name,
    "it is 1 to 63 characters, words of a-z and 0-9 joined by -, starts with a letter, and does not end in -v and digits"
);
slug!(
    /// The name of a schedule, unique in its tenant at a time.
    ScheduleName, "schedule name", is_words,
    "it is 1 to 63 characters, words of a-z and 0-9 joined by -, and starts with a letter"
);
slug!(
    /// A step of an intent: the name that expressions use.
    StepId, "step id", is_step, "it is 1 to 63 characters of A-Z, a-z, 0-9, _, . and -, and starts with a letter"
);
slug!(
    /// A person or a service account: what `sub` says in a token.
    PrincipalId, "principal id", is_principal, "it is 1 to 128 visible ASCII characters without quotes or backslashes"
);
slug!(
    /// `sha256:` and 64 lowercase hex digits.
    Digest, "digest", is_digest, "it is sha256: followed by 64 lowercase hex digits"
);
uid!(
    /// An intent, the same for all its versions. UUIDv7.
    IntentUid, "intent uid"
);
uid!(
    /// One run of a plan. UUIDv7.
    ExecutionId, "execution id"
);
uid!(
    /// A schedule; another one under the same name has another. UUIDv7.
    ScheduleUid, "schedule uid"
);
uid!(
    /// One authorization decision. UUIDv7.
    DecisionId, "decision id"
);

fn bounded(text: &str, bytes_max: usize) -> bool {
    !text.is_empty() && text.len() <= bytes_max
}

fn is_tenant(text: &str) -> bool {
    bounded(text, 63)
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_intent_name(text: &str) -> bool {
    is_words(text) && split_version(text).is_none()
}

fn is_words(text: &str) -> bool {
    bounded(text, 63)
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .split('-')
            .all(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

/// `deploy-v3` → `("deploy", 3)`.
pub fn split_version(text: &str) -> Option<(&str, u32)> {
    let (name, version) = text.rsplit_once("-v")?;
    let digits = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit());
    if !digits {
        return None;
    }
    Some((name, version.parse().ok()?))
}

fn is_step(text: &str) -> bool {
    bounded(text, 63)
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

fn is_principal(text: &str) -> bool {
    bounded(text, 128) && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'\''))
}

fn is_digest(text: &str) -> bool {
    let hex = |s: &str| s.len() == 64 && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    text.strip_prefix("sha256:").is_some_and(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_name_never_looks_like_a_version() {
        assert!(IntentName::new("deploy-web-app").is_ok());
        for bad in ["", "Deploy", "deploy-", "-a", "a--b", "deploy-v1", "1st", "a_b", &"a".repeat(64)] {
            assert!(IntentName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_names_the_rule_and_never_repeats_a_long_text() {
        let error = TenantId::new("X".repeat(500)).unwrap_err().to_string();
        assert!(error.contains("a-z") && error.len() < 250, "{error}");
    }
}
