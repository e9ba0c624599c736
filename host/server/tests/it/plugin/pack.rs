//! `quantum plugin pack`: a component of any origin with a manifest beside it, checked as an install checks it.

use std::fs;
use std::path::{Path, PathBuf};

use super::{quantum, run};
use crate::home::packed;

/// The name of the manifest's section.
const SECTION: &[u8] = b"quantum:manifest";

/// A component as its compiler made it, and its manifest: a packed plugin taken apart.
fn taken_apart(name: &str, dir: &Path) -> (PathBuf, String) {
    let bytes = fs::read(packed(name)).unwrap();
    let manifest = run(quantum(&["plugin", "inspect", "--manifest"]).arg(packed(name))).ok();
    let at = bytes.windows(SECTION.len()).rposition(|window| window == SECTION).unwrap();
    // In front of the name: its length in one byte, the section's length in LEB128, and the section's id, 0.
    let mut start = at - 2;
    while start > 0 && bytes[start - 1] & 0x80 != 0 {
        start -= 1;
    }
    assert_eq!(bytes[start - 1], 0);
    let path = dir.join(format!("{name}.component.wasm"));
    fs::write(&path, &bytes[..start - 1]).unwrap();
    (path, manifest)
}

#[test]
fn a_component_and_its_manifest_become_the_file_that_is_installed() {
    let folder = tempfile::tempdir().unwrap();
    let (component, manifest) = taken_apart("hello", folder.path());
    let mut manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    // Read from the component.
    manifest.as_object_mut().unwrap().remove("wit");
    let file = folder.path().join("manifest.json");
    fs::write(&file, manifest.to_string()).unwrap();
    let told = run(quantum(&["plugin", "pack"]).arg(&component).arg("--manifest").arg(&file)).ok();
    let path = folder.path().join("hello.wasm");
    assert!(told.starts_with("quantum:hello ") && told.trim().ends_with(path.to_str().unwrap()), "{told}");
    let mut call = quantum(&["plugin", "run", "hello", "--params", "{\"name\":\"Ada\"}", "--plugin"]);
    assert_eq!(run(call.arg(&path)).ok(), "{\n  \"text\": \"Hello, Ada!\"\n}\n");
}

/// What is said, with nothing written.
fn refused(component: &Path, manifest: &str, code: i32) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("manifest.json"), folder.path().join("out.wasm"));
    fs::write(&file, manifest).unwrap();
    let mut pack = quantum(&["plugin", "pack"]);
    let said = run(pack.arg(component).arg("--manifest").arg(&file).arg("--out").arg(&out)).fails(code);
    assert!(!out.exists());
    said.replace(folder.path().to_str().unwrap(), "DIR")
}

#[test]
fn what_could_not_be_installed_is_not_packed_and_told_as_an_install_tells_it() {
    let folder = tempfile::tempdir().unwrap();
    let (hello, manifest) = taken_apart("hello", folder.path());
    let (http, _) = taken_apart("http", folder.path());
    let module = folder.path().join("module.wasm");
    fs::write(&module, wat::parse_str("(module)").unwrap()).unwrap();
    let empty = folder.path().join("empty.wasm");
    fs::write(&empty, wat::parse_str("(component)").unwrap()).unwrap();
    let other_wit = manifest.replace("\"quantum:log\": \"1.0.0\"", "\"quantum:log\": \"1.1.0\"");
    assert_ne!(other_wit, manifest);
    let bare = manifest.replace("\"wit\"", "\"unknown\"");
    let without_wit = |text: &str| {
        let mut manifest: serde_json::Value = serde_json::from_str(text).unwrap();
        manifest.as_object_mut().unwrap().remove("wit");
        manifest.to_string()
    };
    let plain = without_wit(&manifest);
    let named = without_wit(&manifest.replace("quantum:hello", "Hello"));
    let small = plain.replacen('{', "{ \"memory_bytes_max\": 65536,", 1);
    for (component, manifest, told) in [
        (module.as_path(), plain.as_str(), "the file is a core module, not a component; build it for"),
        (&packed("hello"), &plain, "the component has a manifest already"),
        (&empty, &plain, "/exports: the component does not export quantum:plugin/actions"),
        (&http, &plain, "and http is not declared; declare it with"),
        (&hello, &named, "/id: \"Hello\" is not namespace:name"),
        (&hello, &other_wit, "; leave \"wit\" out: it is read from the component"),
        (&hello, &small, "start the component, as each of its attempts begins: "),
        (&hello, &bare, "read the manifest \"DIR/manifest.json\""),
        (&hello, "{", "read the manifest \"DIR/manifest.json\""),
        (&folder.path().join("none.wasm"), &plain, "none.wasm\": No such file"),
    ] {
        let said = refused(component, manifest, 1);
        assert!(said.starts_with("error: ") && said.contains(told), "{told}\n{said}");
    }
    let mut onto = quantum(&["plugin", "pack"]);
    let file = folder.path().join("manifest.json");
    fs::write(&file, &plain).unwrap();
    let said = run(onto.arg(&hello).arg("--manifest").arg(&file).arg("--out").arg(&hello)).fails(2);
    assert!(said.contains(" onto itself; name another file with --out FILE"), "{said}");
}
