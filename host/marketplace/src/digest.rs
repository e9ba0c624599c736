//! The name of a component: the SHA-256 of its bytes, manifest included.

use std::fmt::Write;

use quantum_core::id::Digest;

/// `sha256:` and 64 hex digits.
pub fn digest(bytes: &[u8]) -> Digest {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut text = "sha256:".to_owned();
    for byte in hash.as_ref() {
        write!(text, "{byte:02x}").expect("a String takes every write");
    }
    Digest::new(text).expect("a SHA-256 is 64 hex digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_the_published_one() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(b"").as_str(), empty);
    }
}
