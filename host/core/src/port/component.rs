//! Where components come from.

use super::BoxFuture;
use crate::id::Digest;

/// Bytes of components, by digest.
pub trait ComponentSource: Send + Sync + 'static {
    /// None: no such component is stored.
    fn read(&self, component: &Digest) -> BoxFuture<'static, std::io::Result<Option<Vec<u8>>>>;
}
