//! As much HTTP/1.1 as the demo and its stand-ins need, on std alone: no TLS, no compression, bodies in memory.

mod client;
mod head;
mod body;
mod message;
mod server;

pub use body::ChunkReader;
pub use client::{Answer, Request, open, send, send_within};
pub use head::{Head, read_head};
pub use message::{Body, Received, Reply};
pub use server::{Seen, Server};
