//! Secrets of running attempts: placeholders for the guest, values for the host's own hands, and their removal from
//! everything that the guest says. A value enters the guest's memory through `reveal` alone.

mod placeholder;
mod forms;
mod redaction;
mod lines;
mod vault;

pub(crate) use forms::{json_escaped, percent_encoded};
pub(crate) use lines::{exception, host_line, quoted};
pub(crate) use placeholder::Finder;
pub(crate) use redaction::Redactions;
pub(crate) use vault::{Stand, Vault};
