//! Which bucket, and where in it: `s3://bucket/prefix`.

use std::fmt;
use std::str::FromStr;

/// INVARIANT: a name of a bucket, and a prefix without slashes at its ends or empty parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketAddress {
    pub(super) bucket: String,
    /// Empty: the bucket is the host's alone.
    pub(super) prefix: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" is not the address of a bucket; write s3://BUCKET or s3://BUCKET/PREFIX, for example \
     s3://acme-quantum/production, and the host of the object store as blob_store.endpoint"
)]
pub struct InvalidAddress {
    text: String,
}

impl FromStr for BucketAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        // What has a user in it may have a password, too.
        let shown = if text.contains('@') { "…" } else { text };
        let invalid = || InvalidAddress { text: shown.to_owned() };
        let rest = text.strip_prefix("s3://").ok_or_else(invalid)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let good = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(is_plain);
        if !(3..=63).contains(&bucket.len()) || !good(bucket) {
            return Err(invalid());
        }
        if !prefix.is_empty() && !prefix.split('/').all(good) {
            return Err(invalid());
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

/// What every store takes as it is written, in names of buckets and of objects.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

impl fmt::Display for BucketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_with_or_without_a_prefix_is_an_address() {
        for (text, shown) in [
            ("s3://acme", "s3://acme"),
            ("s3://acme/", "s3://acme"),
            ("s3://acme/a/b-c/", "s3://acme/a/b-c"),
            ("s3://a.b-c/x_y", "s3://a.b-c/x_y"),
        ] {
            assert_eq!(text.parse::<BucketAddress>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_none_is_told_what_would_be() {
        for text in
            ["", "acme", "s3:/acme", "s3://", "s3://ab", "s3://acme//x", "s3://acme/../x", "s3://acme/a b"]
        {
            let error = text.parse::<BucketAddress>().unwrap_err().to_string();
            assert!(error.contains("s3://BUCKET/PREFIX"), "{error}");
        }
        let error = "s3://key:secret@acme/x".parse::<BucketAddress>().unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
