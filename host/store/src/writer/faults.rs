//! Where a test makes a flush go wrong. A host has none of these: it pays one look at an `Option` a flush.
//!
//! They show what this program does when the disk does what they say. That SQLite tells of a real disk's fault in time
//! is not shown by them.

use std::fmt;
use std::sync::Arc;

use quantum_core::port::BoxFuture;

/// What happens to one flush.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Nothing is written, and everybody who waits is told; the next flush may succeed. As a full disk.
    Refused,
    /// Everything is written, and the disk does not confirm it: what was written may be there or not. The store takes no
    /// write any more.
    Unconfirmed,
    /// The process dies before anything is written: nobody is told anything.
    DiesBefore,
    /// The process dies when everything is durable: nobody is told anything.
    DiesAfter,
}

/// Asked before each flush, with its number from 1. The flush waits for the answer, so that one that comes late is a
/// slow disk.
#[derive(Clone)]
pub struct Faults(Arc<dyn Fn(u64) -> BoxFuture<'static, Fault> + Send + Sync>);

impl Faults {
    pub fn new(answer: impl Fn(u64) -> BoxFuture<'static, Fault> + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }

    pub(super) async fn ask(&self, flush: u64) -> Fault {
        (self.0)(flush).await
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faults")
    }
}

/// The same source of faults.
impl PartialEq for Faults {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Faults {}
