//! Where content lies: components, artifacts and the archive, in the shared folder or in a bucket.

use quantum_store::{Archive, Blobs, Bucket, Error};

use crate::settings::Settings;

pub(crate) struct Places {
    pub components: Blobs,
    pub artifacts: Blobs,
    pub archive: Archive,
    /// None: they are in a folder.
    pub bucket: Option<Bucket>,
}

impl Places {
    /// Err: `Folder`, and `Bucket` when it cannot be read or written now: it is better told at a start than by every step.
    pub async fn open(settings: &Settings) -> Result<Self, Error> {
        let (data, shared) = (&settings.data_dir, &settings.shared_dir);
        let Some(options) = &settings.bucket else {
            return Ok(Self {
                components: Blobs::open(shared)?,
                artifacts: Blobs::open_artifacts(shared)?,
                archive: Archive::new(shared),
                bucket: None,
            });
        };
        let bucket = Bucket::new(options.clone())?;
        bucket.probe().await?;
        Ok(Self {
            components: Blobs::in_bucket(&bucket, data)?,
            artifacts: Blobs::artifacts_in_bucket(&bucket, data)?,
            archive: Archive::in_bucket(&bucket, data),
            bucket: Some(bucket),
        })
    }
}
