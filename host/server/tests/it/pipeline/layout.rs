//! An image that was pulled back, as a folder of the OCI image layout: by skopeo, and by requests of our own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use xtask::standin::Digest;

use super::registry::{PASSWORD, Registry, USER, installed, missing};

/// What the index points to, and all blobs by the names of their files.
#[derive(Debug, PartialEq)]
pub struct Layout {
    pub manifest: Value,
    pub blobs: BTreeMap<String, Vec<u8>>,
}

impl Layout {
    pub fn blob(&self, descriptor: &Value) -> &[u8] {
        let name = descriptor["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
        &self.blobs[name]
    }

    /// The only manifest's descriptor and the blobs, each of which must be what its name says.
    fn new(manifest: Value, blobs: BTreeMap<String, Vec<u8>>) -> Self {
        for (name, bytes) in &blobs {
            assert_eq!(Digest::of(bytes).to_string(), format!("sha256:{name}"));
        }
        Self { manifest, blobs }
    }
}

/// None: skopeo is not installed. Under `CI=true` that is a failure.
pub fn by_skopeo(registry: &Registry, name: &str) -> Option<Layout> {
    let Some(skopeo) = installed("skopeo") else {
        missing("skopeo");
        return None;
    };
    let dir = TempDir::new().unwrap();
    let mut command = Command::new(skopeo);
    command.args(["--insecure-policy", "copy", "--src-tls-verify=false", "--src-creds"]);
    command.arg(format!("{USER}:{PASSWORD}")).arg(format!("docker://{}/{name}", registry.authority()));
    let ended = command.arg(format!("oci:{}:pulled", dir.path().display())).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let index: Value = serde_json::from_slice(&fs::read(dir.path().join("index.json")).unwrap()).unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), 1, "{index}");
    let mut manifest = index["manifests"][0].clone();
    // Only a name within the folder.
    manifest.as_object_mut().unwrap().remove("annotations");
    Some(Layout::new(manifest, read_blobs(&dir.path().join("blobs/sha256"))))
}

fn read_blobs(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect()
}

/// The manifest under a tag, and everything that it names.
pub fn by_requests(registry: &Registry, repository: &str, tag: &str) -> Layout {
    let answer = registry.get(&format!("/v2/{repository}/manifests/{tag}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let media_type = answer.header("content-type").unwrap().to_owned();
    let document: Value = serde_json::from_slice(&answer.body).unwrap();
    let mut blobs = BTreeMap::new();
    let named = |bytes: Vec<u8>| (Digest::of(&bytes).to_string().replace("sha256:", ""), bytes);
    for descriptor in document["layers"].as_array().unwrap().iter().chain([&document["config"]]) {
        let answer =
            registry.get(&format!("/v2/{repository}/blobs/{}", descriptor["digest"].as_str().unwrap()));
        assert_eq!(answer.status, 200, "{descriptor}");
        blobs.extend([named(answer.body)]);
    }
    let (digest, size) = (Digest::of(&answer.body).to_string(), answer.body.len());
    blobs.extend([named(answer.body)]);
    Layout::new(json!({ "mediaType": media_type, "digest": digest, "size": size }), blobs)
}
