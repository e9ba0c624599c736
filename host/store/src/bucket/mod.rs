//! Objects in a bucket of an S3-compatible store, by their path below a prefix. An object is complete or absent: it is
//! there once the store has confirmed all of its bytes.
//!
//! What objects mean, and who may read them, is not known here.

mod address;
mod connect;
mod error;
mod list;
mod probe;
mod read;
mod upload;

use std::fmt;
use std::sync::{Arc, Mutex};

use object_store::aws::AmazonS3;
use object_store::path::Path;

pub use address::{BucketAddress, InvalidAddress};
pub use connect::{BucketOptions, Secret};
pub use error::{BucketError, Trouble};
pub use list::BucketObject;
pub(crate) use read::ObjectReader;

/// Cheap to clone.
#[derive(Clone)]
pub struct Bucket {
    shared: Arc<Shared>,
}

struct Shared {
    store: AmazonS3,
    options: BucketOptions,
    /// What the last probe found, and is wrong. None: nothing, or there was none yet.
    found: Mutex<Option<String>>,
}

impl Bucket {
    /// Below the prefix, such as `blobs/sha256/ab/cdef…`.
    fn path(&self, path: &str) -> Path {
        match self.shared.options.address.prefix.as_str() {
            "" => Path::from(path),
            prefix => Path::from(format!("{prefix}/{path}")),
        }
    }

    /// `s3://bucket/prefix`.
    pub fn address(&self) -> &BucketAddress {
        &self.shared.options.address
    }

    fn error(&self, doing: &'static str, source: object_store::Error) -> BucketError {
        BucketError::new(&self.shared.options, doing, source)
    }
}

/// Without anything that a credential could be in.
impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(self.address()).finish()
    }
}
