//! Which objects there are, and when they were last written, by the store's own clock.

use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use quantum_core::time::Timestamp;

use super::Bucket;
use crate::Error;

/// An object, as it was when it was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketObject {
    /// Below the bucket's prefix.
    pub path: String,
    pub bytes: u64,
    pub written_at: Timestamp,
}

impl Bucket {
    /// Those below a folder, such as `archive`, in no order: a page after the other, until the store has no more.
    pub async fn list(&self, folder: &str) -> Result<Vec<BucketObject>, Error> {
        let below = self.path(folder);
        let found = self.shared.store.list(Some(&below)).map_ok(|about| self.object(about));
        found.try_collect().await.map_err(|source| self.error("list", source).into())
    }

    /// None: there is no such object.
    pub async fn find(&self, path: &str) -> Result<Option<BucketObject>, Error> {
        match self.shared.store.head(&self.path(path)).await {
            Ok(about) => Ok(Some(self.object(about))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(self.error("read from", source).into()),
        }
    }

    fn object(&self, about: ObjectMeta) -> BucketObject {
        let path = about.location.as_ref();
        let prefix = self.address().prefix.as_str();
        let below = path.strip_prefix(prefix).unwrap_or(path).trim_start_matches('/');
        BucketObject {
            path: below.to_owned(),
            bytes: about.size,
            written_at: Timestamp::from_millis(about.last_modified.timestamp_millis()),
        }
    }
}
