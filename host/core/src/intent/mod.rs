//! The intent document: what a client posts, how it is checked, and its typed form.

mod check;
mod definition;
mod document;
mod read;
mod reference;
mod rules;
mod schema;
mod target;

pub use check::{CheckContext, Checked, check_document, check_document_with};
pub use definition::{
    Concurrency, Definition, ForEach, OnError, OnExhausted, OnLimit, Order, RetryPolicy, StepDefinition,
};
pub use document::IntentDocument;
pub use reference::IntentRef;
pub use schema::document_schema;
pub use target::environment_of;
