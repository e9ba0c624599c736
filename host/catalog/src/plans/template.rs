//! The definition of an intent without steps, completed by the blueprint of its name.

use quantum_core::id::IntentName;
use quantum_core::intent::{CheckContext, Definition, check_document};
use quantum_core::problem::Finding;
use serde_json::{Value, json};

use crate::Error;
use crate::blueprints::Template;

/// A definition beside the blueprint that gives it steps.
pub(super) struct Given<'a> {
    pub name: &'a IntentName,
    pub template: &'a Template,
    /// As its author wrote it.
    pub definition: &'a Value,
}

impl Given<'_> {
    /// The whole definition, checked in the environment of the intent. Err: `Invalid`.
    pub fn complete(&self, context: &CheckContext<'_>) -> Result<Definition, Error> {
        let misfits = self.template.blueprint.check_definition(self.definition);
        if !misfits.is_empty() {
            return Err(Error::Invalid { findings: misfits });
        }
        let whole = self.template.blueprint.complete(self.definition);
        let checked = check_document(&json!({ "name": self.name, "definition": whole }), context);
        if checked.findings.iter().any(Finding::is_error) {
            return Err(self.place(Error::Invalid { findings: checked.findings }));
        }
        Ok(Definition::read(&whole).0)
    }

    /// Errors only, and those in the blueprint's part by their places in the blueprint.
    pub fn place(&self, error: Error) -> Error {
        let Error::Invalid { findings } = error else { return error };
        let errors = findings.into_iter().filter(Finding::is_error);
        Error::Invalid { findings: errors.map(|finding| self.placed(finding)).collect() }
    }

    fn placed(&self, finding: Finding) -> Finding {
        let Some(below) = finding.pointer.strip_prefix("/definition") else { return finding };
        let key = below.split('/').nth(1).unwrap_or_default();
        let given = matches!(key, "steps" | "order") || self.definition.get(key).is_none();
        if !given {
            return finding;
        }
        let Template { revision, .. } = self.template;
        let message = format!("in the blueprint \"{}\", revision {revision}: {}", self.name, finding.message);
        Finding { pointer: below.to_owned(), message, ..finding }
    }
}
