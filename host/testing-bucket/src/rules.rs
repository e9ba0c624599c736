//! What the store refuses before it looks: a bucket that is not there, and what the test has forbidden.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use s3s::access::{S3Access, S3AccessContext};
use s3s::{S3Result, s3_error};

pub(crate) struct Rules {
    pub root: PathBuf,
    pub read_only: Arc<AtomicBool>,
}

#[async_trait::async_trait]
impl S3Access for Rules {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.credentials().is_none() {
            return Err(s3_error!(AccessDenied));
        }
        let bucket = context.s3_path().get_bucket_name().unwrap_or_default();
        // The engine itself makes the folder of one that is not there.
        if !self.root.join(bucket).is_dir() {
            return Err(s3_error!(NoSuchBucket));
        }
        let name = context.s3_op().name();
        let reads = name.starts_with("Get") || name.starts_with("Head") || name.starts_with("List");
        if self.read_only.load(Ordering::SeqCst) && !reads {
            return Err(s3_error!(AccessDenied));
        }
        Ok(())
    }
}
