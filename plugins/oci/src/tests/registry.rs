//! A scripted registry, and images to push to it.

use quantum_sdk::Failure;
use quantum_sdk::testing::{Answer, Host};
use serde_json::{Value, json};

use super::tar::Tar;
use super::text;
use crate::build::build_container;
use crate::digest::Digest;
use crate::push::push_to_registry;

/// `azurecr.io`, as the tutorial has it.
pub const NAME: &str = "azurecr.io";
pub const UPLOADS: &str = "/v2/myapp/blobs/uploads/";
pub const MANIFEST: &str = "/v2/myapp/manifests/1.2.3";

pub struct Blob {
    pub digest: Digest,
    pub bytes: Vec<u8>,
}

impl Blob {
    pub fn path(&self) -> String {
        format!("/v2/myapp/blobs/{}", self.digest)
    }

    /// Where it is put, whole or at the end.
    pub fn put(&self, upload: &str) -> String {
        format!("{upload}?digest={}", self.digest)
    }
}

pub fn url(path: &str) -> String {
    format!("https://{NAME}{path}")
}

pub fn script(host: &Host, method: &str, path: &str, answer: Answer) {
    host.answer(method, &url(path), answer);
}

/// An answer that opens an upload.
pub fn upload(path: &str) -> Answer {
    Answer::status(202).header("Location", path)
}

/// A host in which `myapp:1.2.3` was built, and its blobs in the order in which they are pushed.
pub fn with_image(config: Value) -> (Host, Vec<Blob>) {
    let context = Tar::new().file("a", &(0..200).collect::<Vec<u8>>()).end();
    let host = Host::new().artifact("app", None, context).config(config);
    host.run::<build_container>(json!({ "image": "myapp:1.2.3", "context": "app" })).unwrap();
    let manifest: Value = serde_json::from_slice(&artifact(&host, "myapp:1.2.3")).unwrap();
    let descriptors = manifest["layers"].as_array().unwrap().iter().chain([&manifest["config"]]);
    let blobs = descriptors.map(|descriptor| {
        let digest = Digest::parse(text(&descriptor["digest"])).unwrap();
        Blob { bytes: artifact(&host, digest.as_str()), digest }
    });
    let blobs = blobs.collect();
    (host, blobs)
}

pub fn artifact(host: &Host, reference: &str) -> Vec<u8> {
    let all = host.artifacts();
    let found = all.iter().find(|a| a.info.digest == reference || a.name.as_deref() == Some(reference));
    found.unwrap_or_else(|| panic!("{reference} is not stored")).bytes.clone()
}

/// A registry that has nothing and takes each blob whole, and the manifest.
pub fn takes_everything(host: &Host, blobs: &[Blob]) {
    for (number, blob) in blobs.iter().enumerate() {
        let session = format!("/upload/{number}");
        script(host, "HEAD", &blob.path(), Answer::status(404));
        script(host, "POST", UPLOADS, upload(&session));
        script(host, "PUT", &blob.put(&session), Answer::status(201));
    }
    script(host, "PUT", MANIFEST, Answer::status(201));
}

/// A registry that has every blob and takes the manifest.
pub fn has_everything(host: &Host, blobs: &[Blob]) {
    for blob in blobs {
        script(host, "HEAD", &blob.path(), Answer::status(200));
    }
    script(host, "PUT", MANIFEST, Answer::status(201));
}

pub fn push(host: &Host) -> Result<Value, Failure> {
    push_with(host, json!({}))
}

pub fn push_with(host: &Host, more: Value) -> Result<Value, Failure> {
    let mut parameters = json!({ "registry": NAME, "image": "myapp:1.2.3" });
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    host.run::<push_to_registry>(parameters)
}

/// `METHOD path` of what was sent.
pub fn sent(host: &Host) -> Vec<String> {
    let path = |url: &str| url.strip_prefix(&format!("https://{NAME}")).unwrap_or(url).to_owned();
    host.requests().iter().map(|request| format!("{} {}", request.method, path(&request.url))).collect()
}

/// A registry's own error.
pub fn error(status: u16, code: &str) -> Answer {
    Answer::json(status, &json!({ "errors": [{ "code": code, "message": "as it says" }] }))
}
