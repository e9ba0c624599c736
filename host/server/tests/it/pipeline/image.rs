//! An image against the OCI image specification and the files that it was made of, field by field.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};
use xtask::standin::Digest;

use super::layout::Layout;
use super::stage::files_below;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// Nobody said when it was made.
const EPOCH: &str = "1970-01-01T00:00:00Z";

/// `output`: what the step that built it said. `files`: the folder that it was made of, in `/app` of the image.
pub fn check(layout: &Layout, output: &Value, files: &Path) {
    let descriptor = &layout.manifest;
    let bytes = layout.blob(descriptor);
    assert_eq!(
        *descriptor,
        json!({ "mediaType": MANIFEST, "digest": output["digest"], "size": bytes.len() })
    );
    let manifest: Value = serde_json::from_slice(bytes).unwrap();
    let [layer] = manifest["layers"].as_array().unwrap().as_slice() else { panic!("{manifest}") };
    let (config, packed) = (&manifest["config"], layout.blob(layer));
    let pointed = |media_type: &str, to: &Value| {
        let bytes = layout.blob(to);
        json!({ "mediaType": media_type, "digest": Digest::of(bytes).to_string(), "size": bytes.len() })
    };
    let expected = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": pointed(CONFIG, config), "layers": [pointed(LAYER, layer)],
    });
    assert_eq!(manifest, expected);
    assert_eq!(layout.blobs.len(), 3, "there is nothing that the manifest does not name");
    let sizes: usize = layout.blobs.values().map(Vec::len).sum();
    assert_eq!((&output["size"], &output["layers"]), (&json!(sizes), &json!(1)));

    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut tar).unwrap();
    check_config(&serde_json::from_slice(layout.blob(config)).unwrap(), &tar);
    check_files(&tar, files);
}

fn check_config(config: &Value, tar: &[u8]) {
    let history = config["history"].as_array().unwrap();
    let [entry] = history.as_slice() else { panic!("{config}") };
    assert_eq!(entry["created"], EPOCH);
    assert!(entry["created_by"].as_str().is_some_and(|text| !text.is_empty()), "{entry}");
    assert_eq!(entry.get("empty_layer").unwrap_or(&json!(false)), &json!(false));
    let expected = json!({
        "created": EPOCH, "architecture": "amd64", "os": "linux", "config": { "WorkingDir": "/app" },
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(tar).to_string()] }, "history": history,
    });
    assert_eq!(*config, expected);
}

/// Kind, permissions and content.
type Member = (tar::EntryType, u32, Vec<u8>);

fn check_files(tar: &[u8], files: &Path) {
    let mut found = BTreeMap::new();
    let mut order = Vec::new();
    for entry in tar::Archive::new(tar).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().trim_end_matches('/').to_owned();
        let header = entry.header();
        let owner = (header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap());
        assert_eq!(owner, (0, 0, 0), "{path}");
        let (kind, mode) = (header.entry_type(), header.mode().unwrap());
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        order.push(path.clone());
        assert_eq!(found.insert(path, (kind, mode, content)), None);
    }
    assert!(order.is_sorted(), "{order:?}");
    assert_eq!(found, expected(files));
}

fn expected(files: &Path) -> BTreeMap<String, Member> {
    let directory: Member = (tar::EntryType::Directory, 0o755, Vec::new());
    let mut members = BTreeMap::from([("app".to_owned(), directory.clone())]);
    for path in files_below(files) {
        let inside = path.strip_prefix(files).unwrap();
        for parent in inside.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()) {
            members.insert(format!("app/{}", parent.display()), directory.clone());
        }
        // Who may read and write is the uploader's umask; who may execute is the file's.
        let mode = if fs::metadata(&path).unwrap().permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 };
        let member = (tar::EntryType::Regular, mode, fs::read(&path).unwrap());
        members.insert(format!("app/{}", inside.display()), member);
    }
    members
}
