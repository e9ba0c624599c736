//! Servers that take the place of a registry and of a cluster where there is neither: on loopback, in memory, strict
//! about what they are sent. They do what the documented protocols say, and know nothing of the host or its plugins.

mod cluster;
mod registry;

pub use cluster::{Cluster, ClusterOptions, ClusterUser};
pub use registry::{Account, Digest, Registry, View, basic};
