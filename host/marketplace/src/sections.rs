//! The outermost level of a component: its imports, exports and manifest sections. What is nested says nothing: a
//! nested module may carry any custom section, and whoever embeds it did not write it.

use quantum_core::limits::COMPONENT_BYTES_MAX;
use quantum_core::manifest::MANIFEST_SECTION;
use wasmparser::component_types::{ComponentEntityType, ComponentItem};
use wasmparser::types::Types;
use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::error::Error;

/// What stands at depth 0.
#[derive(Debug, Default)]
pub(crate) struct Sections<'a> {
    pub imports: Vec<&'a str>,
    /// Those of the imports that have something to call. The others only lend their types to a neighbour.
    pub callable: Vec<&'a str>,
    pub exports: Vec<&'a str>,
    pub manifests: Vec<&'a [u8]>,
}

/// Reads depth 0 of a valid component.
pub(crate) fn read(component: &[u8]) -> Result<Sections<'_>, Error> {
    if component.len() > COMPONENT_BYTES_MAX {
        return Err(Error::TooLarge { bytes: component.len() });
    }
    if !component.starts_with(b"\0asm") {
        return Err(Error::NotWasm);
    }
    if Parser::is_core_wasm(component) {
        return Err(Error::CoreModule);
    }
    let types = Validator::new_with_features(WasmFeatures::default()).validate_all(component)?;
    let mut sections = Sections::default();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(Error::CoreModule);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            payload if depth == 0 => sections.take(payload)?,
            _ => {}
        }
    }
    sections.callable = sections.imports.iter().copied().filter(|name| is_callable(&types, name)).collect();
    Ok(sections)
}

/// Whether an import can do anything. What is not understood can.
fn is_callable(types: &Types, import: &str) -> bool {
    let types = types.as_ref();
    match types.component_item_for_import(import).map(|item| item.ty) {
        Some(ComponentEntityType::Instance(id)) => {
            let exports = &types[id].exports;
            let is_type = |export: &ComponentItem| matches!(export.ty, ComponentEntityType::Type { .. });
            exports.is_empty() || !exports.values().all(is_type)
        }
        _ => true,
    }
}

impl<'a> Sections<'a> {
    fn take(&mut self, payload: Payload<'a>) -> Result<(), Error> {
        match payload {
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    self.imports.push(import?.name.name);
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    self.exports.push(export?.name.name);
                }
            }
            Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                self.manifests.push(section.data());
            }
            _ => {}
        }
        Ok(())
    }
}
