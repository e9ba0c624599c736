//! Where a blob lies, and back from there to its digest.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use quantum_core::id::Digest;

/// Files that are not blobs yet; empty when nothing is being written.
pub(super) const DRAFTS: &str = "drafts";

pub(super) fn place(root: &Path, digest: &Digest) -> PathBuf {
    root.join(blob_file(digest))
}

/// Of a blob, relative to its folder of blobs: `sha256/ab/cdef…`.
pub fn blob_file(digest: &Digest) -> PathBuf {
    // INVARIANT of `Digest`: `sha256:` and 64 hex digits, so no part of it leaves the folder.
    let hex = digest.as_str().trim_start_matches("sha256:");
    let (head, tail) = hex.split_at_checked(2).unwrap_or((hex, "-"));
    folder(Path::new(""), head).join(tail)
}

/// Blobs whose digests begin with these two hex digits.
pub(super) fn folder(root: &Path, head: &str) -> PathBuf {
    root.join("sha256").join(head)
}

pub(super) fn text(hash: &aws_lc_rs::digest::Digest) -> Digest {
    let mut text = String::from("sha256:");
    for byte in hash.as_ref() {
        // Writing to a String does not fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    Digest::new(text).expect("64 lowercase hex digits")
}
