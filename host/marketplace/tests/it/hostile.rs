//! Files that someone made to harm: each is refused with its own error, and none panics.

use proptest::prelude::*;
use quantum_core::manifest::MANIFEST_SECTION;
use quantum_marketplace::{append_manifest, inspect, read_manifest};
use serde_json::json;
use wasm_encoder::Encode;

use crate::sample::{custom, manifest, plugin};

fn check(sections: &[&[u8]], error: &str) {
    let mut bytes = plugin(&[]);
    for data in sections {
        bytes.extend(custom(MANIFEST_SECTION, data));
    }
    assert_eq!(read_manifest(&bytes).unwrap_err().to_string(), error);
}

#[test]
fn a_component_without_a_manifest_says_how_to_make_one() {
    check(&[], "the component has no manifest; make it with: quantum plugin build");
}

#[test]
fn two_manifests_are_refused_even_when_they_are_equal() {
    let text = serde_json::to_vec(&manifest(json!({}))).unwrap();
    check(
        &[&text, &text],
        "the component has more than one manifest; build it again with: quantum plugin build",
    );
}

#[test]
fn a_manifest_of_ten_mebibytes_is_not_parsed() {
    let large = vec![b' '; 10 * 1024 * 1024];
    check(&[&large], "the manifest has 10485760 bytes, and 524288 are the most");
}

#[test]
fn what_is_no_text_or_no_json_or_no_manifest_is_told_apart() {
    check(&[b"\xff\xfe"], "the manifest is not UTF-8");
    check(&[b"{"], "the manifest does not fit this host: EOF while parsing an object at line 1 column 1");
    check(
        &[b"{}"],
        "the manifest does not fit this host: missing field `manifest_version` at line 1 column 2",
    );
    let deep = format!("{{\"config\":{}", "[".repeat(100_000));
    check(
        &[deep.as_bytes()],
        "the manifest does not fit this host: recursion limit exceeded at line 1 column 137",
    );
}

#[test]
fn a_manifest_inside_a_nested_module_or_component_is_not_the_components() {
    let text = serde_json::to_vec(&manifest(json!({}))).unwrap();
    for (nested, section_id) in [("(component)", 4), ("(module)", 1)] {
        let mut inner = wat::parse_str(nested).unwrap();
        inner.extend(custom(MANIFEST_SECTION, &text));
        let mut outer = plugin(&[]);
        outer.push(section_id);
        inner.len().encode(&mut outer);
        outer.extend(inner);
        let error = read_manifest(&outer).unwrap_err().to_string();
        assert_eq!(error, "the component has no manifest; make it with: quantum plugin build", "{nested}");
    }
}

#[test]
fn a_component_cut_anywhere_is_an_error_and_never_a_panic() {
    let packed = append_manifest(&plugin(&["wasi:io/poll@0.2.6"]), &manifest(json!({}))).unwrap();
    assert!(inspect(&packed).is_ok());
    for length in 0..packed.len() {
        assert!(inspect(&packed[..length]).is_err(), "cut at {length}");
    }
}

/// Places and what stands there instead.
fn changes() -> impl Strategy<Value = Vec<(usize, u8)>> {
    proptest::collection::vec((any::<usize>(), any::<u8>()), 1..8)
}

proptest! {
    #[test]
    fn bytes_at_random_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(inspect(&bytes).is_err());
    }

    #[test]
    fn a_plugin_with_changed_bytes_never_panics(changes in changes()) {
        let mut packed = append_manifest(&plugin(&["wasi:io/poll@0.2.6"]), &manifest(json!({}))).unwrap();
        for (at, byte) in changes {
            let at = at % packed.len();
            packed[at] = byte;
        }
        if let Ok(inspection) = inspect(&packed) {
            let _ = inspection.findings();
        }
    }
}
