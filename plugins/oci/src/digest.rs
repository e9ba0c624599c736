//! Digests of content: SHA-256, as registries and the host write them.

use std::fmt;

use quantum_sdk::prelude::*;
use sha2::{Digest as _, Sha256};

const ALGORITHM: &str = "sha256:";
/// Hex digits of a SHA-256.
const HEX_CHARS: usize = 64;

/// `sha256:` and 64 lowercase hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// None: it is something else, or of another algorithm.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix(ALGORITHM)?;
        let digits = hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        (hex.len() == HEX_CHARS && digits).then(|| Self(text.to_owned()))
    }

    pub fn of(bytes: &[u8]) -> Self {
        Self::from_hash(Sha256::new_with_prefix(bytes))
    }

    pub fn from_hash(hash: Sha256) -> Self {
        let mut text = ALGORITHM.to_owned();
        for byte in hash.finalize() {
            text.push_str(&format!("{byte:02x}"));
        }
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
            .ok_or_else(|| format!("\"{text}\" is not a digest: write sha256: and 64 lowercase hex digits"))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn the_digest_of_nothing_is_the_known_one() {
        assert_eq!(Digest::of(b"").as_str(), EMPTY);
        assert_eq!(Digest::parse(EMPTY), Some(Digest::of(b"")));
    }

    #[test]
    fn what_only_looks_like_a_digest_is_none() {
        for bad in [&EMPTY[..70], &EMPTY.to_uppercase(), "sha512:00", "latest", &format!("{EMPTY}0")] {
            assert_eq!(Digest::parse(bad), None, "{bad}");
        }
    }
}
