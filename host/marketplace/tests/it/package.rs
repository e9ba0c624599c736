//! The manifest goes in and comes out.

use quantum_marketplace::{Error, append_manifest, digest, inspect, read_manifest};
use serde_json::json;

use crate::sample::{manifest, plugin};

#[test]
fn a_manifest_comes_out_as_it_went_in_and_the_component_stays_a_prefix() {
    let (bare, manifest) = (plugin(&[]), manifest(json!({ "clock": true })));
    let packed = append_manifest(&bare, &manifest).unwrap();
    assert_eq!(read_manifest(&packed).unwrap(), manifest);
    assert!(packed.starts_with(&bare));
    assert_eq!(inspect(&packed).unwrap().digest, digest(&packed));
}

#[test]
fn a_second_manifest_is_not_appended() {
    let manifest = manifest(json!({}));
    let packed = append_manifest(&plugin(&[]), &manifest).unwrap();
    assert!(matches!(append_manifest(&packed, &manifest), Err(Error::ManifestPresent)));
}

#[test]
fn a_core_module_is_told_from_a_component() {
    let module = wat::parse_str("(module)").unwrap();
    let error = append_manifest(&module, &manifest(json!({}))).unwrap_err().to_string();
    assert!(error.contains("wasm32-wasip2"), "{error}");
}
