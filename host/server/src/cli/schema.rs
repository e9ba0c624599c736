//! `quantum schema …`: the documents that editors and client generators work from.

use clap::ValueEnum;
use serde_json::Value;

use super::error::CliError;
use super::output::Output;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Which {
    /// JSON Schema of the intent document
    Intent,
    /// JSON Schema of the blueprint's document
    Blueprint,
    /// JSON Schema of a plugin's manifest
    Manifest,
    /// JSON Schema of a tenant's settings
    TenantSettings,
    /// JSON Schema of the recording of an attempt
    Recording,
    /// OpenAPI document of the HTTP API
    Openapi,
}

pub(crate) fn print(which: Which) -> Result<(), CliError> {
    Ok(Output::Json.value(&document(which)?)?)
}

fn document(which: Which) -> Result<Value, CliError> {
    match which {
        Which::Intent => Ok(quantum_core::intent::document_schema()),
        Which::Blueprint => Ok(quantum_core::blueprint::blueprint_schema()),
        Which::Manifest => Ok(quantum_core::manifest::manifest_schema()),
        Which::TenantSettings => Ok(quantum_core::tenant::settings_schema()),
        Which::Recording => Ok(quantum_core::recording::recording_schema()),
        Which::Openapi => serde_json::to_value(quantum_api::document())
            .map_err(|source| CliError::Json { what: "the OpenAPI document".into(), source }),
    }
}
