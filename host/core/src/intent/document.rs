//! The whole document: the envelope and the definition.

use std::collections::BTreeMap;

use serde_json::Value;

use super::definition::Definition;
use crate::id::IntentName;

/// What a client posts, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct IntentDocument {
    pub name: IntentName,
    pub description: String,
    pub labels: BTreeMap<String, String>,
    /// As it was written: stored, and readable by expressions.
    pub source: Value,
    pub definition: Definition,
}
