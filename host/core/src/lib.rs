//! Values and pure functions: the words of the product, and the machine that decides what an execution does next.
//!
//! Nothing here does IO or reads a clock: time, ids and chance are arguments. Other rooms depend on this one, and
//! this one depends on none of them.

pub mod id;
pub mod time;
pub mod duration;
pub mod json;
pub mod problem;
pub mod vocabulary;
pub mod limits;
pub mod schema;
pub mod expression;
pub mod builtin;
pub mod intent;
pub mod blueprint;
pub mod manifest;
pub mod installation;
pub mod tenant;
pub mod plan;
pub mod usage;
pub mod machine;
pub mod schedule;
pub mod port;
pub mod recording;
