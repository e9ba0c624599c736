//! An S3-compatible object store for tests, of somebody else's making (`s3s`), in a thread of the test's own process: on a
//! free loopback port, with objects as files in a folder of its own. Requests must be signed with its credentials.
//!
//! For `dev-dependencies`: nothing that ships links this. A package of its own, since `xtask` links the other servers and
//! knows no async runtime.

mod line;
mod rules;
mod server;

pub use line::Line;
pub use server::{ACCESS_KEY, BUCKET, ObjectStore, SECRET_KEY};
