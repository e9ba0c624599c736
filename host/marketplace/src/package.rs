//! The manifest as a component-level custom section: JSON text, read before anything is compiled or run.

use std::borrow::Cow;

use quantum_core::manifest::{MANIFEST_SECTION, Manifest};
use wasm_encoder::{ComponentSection, CustomSection};

use crate::error::Error;
use crate::sections;

/// Bytes of a manifest: a hundred actions with their schemas stay below it. Over it the component is refused.
pub(crate) const MANIFEST_BYTES_MAX: usize = 512 * 1024;

/// The component with the manifest behind it; the old bytes are a prefix of the new ones.
pub fn append_manifest(component: &[u8], manifest: &Manifest) -> Result<Vec<u8>, Error> {
    if !sections::read(component)?.manifests.is_empty() {
        return Err(Error::ManifestPresent);
    }
    let text = serde_json::to_vec(manifest).map_err(Error::ManifestUnreadable)?;
    if text.len() > MANIFEST_BYTES_MAX {
        return Err(Error::ManifestTooLarge { bytes: text.len() });
    }
    let mut packed = component.to_vec();
    let section = CustomSection { name: Cow::Borrowed(MANIFEST_SECTION), data: Cow::Owned(text) };
    section.append_to_component(&mut packed);
    Ok(packed)
}

/// The manifest of a component. It is well-formed, not yet checked: see `Manifest::check`.
pub fn read_manifest(component: &[u8]) -> Result<Manifest, Error> {
    parse(&sections::read(component)?.manifests)
}

pub(crate) fn parse(manifests: &[&[u8]]) -> Result<Manifest, Error> {
    let text = match manifests {
        [] => return Err(Error::ManifestMissing),
        [one] if one.len() > MANIFEST_BYTES_MAX => return Err(Error::ManifestTooLarge { bytes: one.len() }),
        [one] => std::str::from_utf8(one).map_err(|_| Error::ManifestNotText)?,
        _ => return Err(Error::ManifestTwice),
    };
    serde_json::from_str(text).map_err(Error::ManifestUnreadable)
}
