//! From what a client sent to the content of a version.

use quantum_core::id::IntentName;
use quantum_core::intent::{IntentDocument, environment_of};
use quantum_core::limits::DOCUMENT_BYTES_MAX;
use quantum_core::problem::Finding;
use quantum_core::tenant::Targets;
use quantum_store::{IntentRecord, NewVersion};
use serde_json::{Value, json};

use super::{Act, Activation, Intents, parse_definition};
use crate::Error;

/// A document that can be stored, with the warnings.
pub(super) struct Document {
    pub document: IntentDocument,
    pub findings: Vec<Finding>,
}

impl Intents<'_> {
    /// Err: `Invalid`.
    pub(super) async fn accept(&self, source: &Value) -> Result<Document, Error> {
        let checked = self.validate(source).await?;
        match checked.document {
            Some(document) => Ok(Document { document, findings: checked.findings }),
            None => Err(Error::Invalid { findings: checked.findings }),
        }
    }

    /// As `accept`, for an intent that has its name already. Err: `Renamed`.
    pub(super) async fn accept_as(&self, name: &IntentName, source: &Value) -> Result<Document, Error> {
        match source.get("name").and_then(Value::as_str) {
            Some(document) if document != name.as_str() => {
                Err(Error::Renamed { name: name.clone(), document: document.chars().take(80).collect() })
            }
            _ => self.accept(source).await,
        }
    }
}

impl Document {
    /// Err: `TooLarge`.
    pub fn version(
        document: &IntentDocument,
        targets: &Targets,
        activation: Activation,
        act: &Act,
    ) -> Result<NewVersion, Error> {
        let definition = document.source.to_string();
        // The body of a request is bounded before it is read, but what a patch makes of a stored document is not.
        if definition.len() > DOCUMENT_BYTES_MAX {
            return Err(Error::TooLarge { bytes: definition.len() });
        }
        Ok(NewVersion {
            description: document.description.clone(),
            labels: document.labels.clone(),
            environment: environment_of(document.definition.target.as_deref(), targets),
            definition,
            created_by: act.by.clone(),
            at: act.at,
            draft: activation == Activation::Draft,
        })
    }
}

/// Order of keys and white space make no difference.
pub(super) fn same_document(record: &IntentRecord, document: &IntentDocument) -> Result<bool, Error> {
    let version = &record.summary.version;
    let envelope = version.description == document.description && version.labels == document.labels;
    Ok(envelope && parse_definition(record)? == document.source)
}

/// A stored version as a client would post it.
pub(super) fn source_of(record: &IntentRecord) -> Result<Value, Error> {
    let version = &record.summary.version;
    Ok(json!({
        "name": record.summary.name,
        "description": version.description,
        "labels": version.labels,
        "definition": parse_definition(record)?,
    }))
}
