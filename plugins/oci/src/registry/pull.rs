//! Getting a base: its manifest for a platform, its configuration, and its layers as artifacts.

use std::io::{self, Read};

use quantum_sdk::http::Response;
use quantum_sdk::prelude::*;
use serde_json::{Map, Value};

use super::client::{Call, Client};
use super::refusal::MISMATCH;
use super::scope;
use crate::digest::Digest;
use crate::image::{
    CONFIG, Descriptor, INDEX, LAYER, LAYER_TAR, LAYER_ZSTD, MANIFEST, MANIFEST_BYTES_MAX, Manifest,
};
use crate::platform::Platform;
use crate::reference::Reference;
use crate::settings::Config;

/// Docker's media types, for the same formats.
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const DOCKER_LAYERS: &[(&str, &str)] = &[
    ("application/vnd.docker.image.rootfs.diff.tar.gzip", LAYER),
    ("application/vnd.docker.image.rootfs.diff.tar", LAYER_TAR),
    ("application/vnd.docker.image.rootfs.diff.tar.zstd", LAYER_ZSTD),
];
/// Bytes of one layer of a base: what the action declares as its largest answer. Larger ones are refused before they are
/// asked for.
const LAYER_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Layers of a base: container runtimes stop at 127. More is refused.
const LAYERS_MAX: usize = 127;

/// Codes of a base that cannot be built upon.
const INVALID: &str = "base-invalid";
const UNSUPPORTED: &str = "base-unsupported";
const WRONG_PLATFORM: &str = "base-platform-missing";

/// An image to build upon. Its layers are artifacts.
#[derive(Debug, Clone, PartialEq)]
pub struct Base {
    /// With registry, and tag or digest, as an annotation has it.
    pub name: String,
    /// Of what the name stands for: an index, where it is one.
    pub digest: Digest,
    pub config: Map<String, Value>,
    pub diff_ids: Vec<Digest>,
    pub layers: Vec<Descriptor>,
}

impl Base {
    pub fn has_workdir(&self) -> bool {
        let workdir = self.config.get("config").and_then(|run| run.get("WorkingDir")).and_then(Value::as_str);
        workdir.is_some_and(|workdir| !workdir.is_empty())
    }
}

/// A manifest or an index.
struct Fetched {
    bytes: Vec<u8>,
    media_type: String,
    digest: Digest,
}

/// An index, or Docker's list.
#[derive(Deserialize)]
struct Index {
    manifests: Vec<IndexEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IndexEntry {
    media_type: String,
    digest: String,
    #[serde(default)]
    platform: Value,
}

pub fn pull(ctx: &Context, config: &Config, reference: &Reference, platform: &Platform) -> Result<Base> {
    let (registry, repository) = reference.source();
    let client = Client::new(ctx, config, &registry, vec![scope(&repository, "pull")])?;
    let separator = if reference.digest.is_some() { '@' } else { ':' };
    let name = format!("{registry}/{repository}{separator}{}", reference.version());
    let mut puller = Puller { client, repository, shown: name.clone() };
    let found = puller.manifest(reference.version())?;
    let digest = found.digest.clone();
    let found = match found.media_type.as_str() {
        INDEX | DOCKER_LIST => {
            let chosen = puller.choose(&found, platform)?;
            puller.manifest(&chosen)?
        }
        _ => found,
    };
    let manifest = puller.parse(found)?;
    let config = puller.config(&manifest, platform)?;
    let diff_ids = puller.diff_ids(&config, manifest.layers.len())?;
    for layer in &manifest.layers {
        puller.layer(layer)?;
    }
    Ok(Base { name, digest, config, diff_ids, layers: manifest.layers })
}

struct Puller<'a> {
    client: Client<'a>,
    repository: String,
    /// The base's name, for messages.
    shown: String,
}

impl Puller<'_> {
    fn manifest(&mut self, version: &str) -> Result<Fetched> {
        let doing = format!("pull the base {}", self.shown);
        let path = format!("/v2/{}/manifests/{version}", self.repository);
        let accept = [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_LIST].join(", ");
        let call = Call::new("GET", path).header("accept", accept);
        let answer = self.client.download(&call, &doing)?.whole()?;
        match answer.status() {
            200 => {}
            404 => return Err(self.missing(version)),
            _ => return Err(self.client.refused(&answer, &doing)),
        }
        let bytes = answer.bytes().to_vec();
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MANIFEST_BYTES_MAX {
            return Err(self.failure(INVALID, "has a manifest of more than 4 MiB"));
        }
        let digest = Digest::of(&bytes);
        let told = answer.header("docker-content-digest").unwrap_or(digest.as_str());
        let asked = Digest::parse(version).unwrap_or_else(|| digest.clone());
        if told != digest.as_str() || asked != digest {
            return Err(self.mismatch(&format!("the manifest {version}")));
        }
        Ok(Fetched { media_type: media_type(&answer), bytes, digest })
    }

    /// The digest of the manifest for a platform.
    fn choose(&self, index: &Fetched, platform: &Platform) -> Result<String> {
        let index: Index = serde_json::from_slice(&index.bytes)
            .map_err(|error| self.failure(INVALID, &format!("has an index that does not fit: {error}")))?;
        let manifests: Vec<_> = index
            .manifests
            .into_iter()
            .filter(|entry| matches!(entry.media_type.as_str(), MANIFEST | DOCKER_MANIFEST))
            .filter_map(|entry| Some((Platform::told(&entry.platform)?, entry.digest)))
            .collect();
        if let Some((_, digest)) = manifests.iter().find(|(offered, _)| platform.takes(offered)) {
            let digest = Digest::parse(digest);
            let digest =
                digest.ok_or_else(|| self.failure(INVALID, "has an index with other digests than sha256"))?;
            return Ok(digest.to_string());
        }
        let offered: Vec<_> = manifests.iter().map(|(offered, _)| offered.to_string()).collect();
        let reason = format!("is not there for {platform}; there is {}", offered.join(", "));
        Err(self.failure(WRONG_PLATFORM, &reason))
    }

    /// With the media types of the OCI specification, in which the new manifest is written.
    fn parse(&self, found: Fetched) -> Result<Manifest> {
        if !matches!(found.media_type.as_str(), MANIFEST | DOCKER_MANIFEST) {
            let reason = format!("is of the type {}, which is no image", found.media_type);
            return Err(self.failure(UNSUPPORTED, &reason));
        }
        let mut manifest: Manifest = serde_json::from_slice(&found.bytes)
            .map_err(|error| self.failure(INVALID, &format!("has a manifest that does not fit: {error}")))?;
        if !matches!(manifest.config.media_type.as_str(), CONFIG | DOCKER_CONFIG) {
            let reason = format!(
                "has a configuration of the type {}, so it is no container",
                manifest.config.media_type
            );
            return Err(self.failure(UNSUPPORTED, &reason));
        }
        if manifest.layers.len() > LAYERS_MAX {
            return Err(self.failure(UNSUPPORTED, &format!("has more than {LAYERS_MAX} layers")));
        }
        for layer in &mut manifest.layers {
            if let Some((_, ours)) = DOCKER_LAYERS.iter().find(|(docker, _)| *docker == layer.media_type) {
                layer.media_type = (*ours).to_owned();
            }
            if !matches!(layer.media_type.as_str(), LAYER | LAYER_TAR | LAYER_ZSTD) {
                let reason = format!("has a layer of the type {}, which cannot be pushed", layer.media_type);
                return Err(self.failure(UNSUPPORTED, &reason));
            }
            if layer.size > LAYER_BYTES_MAX {
                let reason = format!("has a layer of {} bytes; {LAYER_BYTES_MAX} are the most", layer.size);
                return Err(self.failure("base-too-large", &reason));
            }
        }
        Ok(manifest)
    }

    fn config(&mut self, manifest: &Manifest, platform: &Platform) -> Result<Map<String, Value>> {
        let doing = format!("pull the configuration of {}", self.shown);
        let call = self.blob(&manifest.config.digest);
        let answer = self.client.download(&call, &doing)?.whole()?;
        if answer.status() != 200 {
            return Err(self.client.refused(&answer, &doing));
        }
        if Digest::of(answer.bytes()) != manifest.config.digest {
            return Err(self.mismatch("its configuration"));
        }
        let config: Value = serde_json::from_slice(answer.bytes()).map_err(|error| {
            self.failure(INVALID, &format!("has a configuration that is no JSON: {error}"))
        })?;
        let found = Platform::told(&config);
        let found = found.ok_or_else(|| self.failure(INVALID, "does not say what it runs on"))?;
        if !platform.takes(&found) {
            return Err(self.failure(WRONG_PLATFORM, &format!("is for {found} and not for {platform}")));
        }
        match config {
            Value::Object(config) => Ok(config),
            _ => Err(self.failure(INVALID, "has a configuration that is no object")),
        }
    }

    fn diff_ids(&self, config: &Map<String, Value>, layers: usize) -> Result<Vec<Digest>> {
        let listed = config.get("rootfs").and_then(|rootfs| rootfs.get("diff_ids")).cloned();
        let diff_ids: Vec<Digest> = serde_json::from_value(listed.unwrap_or_default())
            .map_err(|error| self.failure(INVALID, &format!("has diff_ids that do not fit: {error}")))?;
        if diff_ids.len() != layers {
            let reason = format!("has {layers} layers and {} diff_ids", diff_ids.len());
            return Err(self.failure(INVALID, &reason));
        }
        Ok(diff_ids)
    }

    /// What is stored already is not asked for: its name is its content.
    fn layer(&mut self, layer: &Descriptor) -> Result<()> {
        let artifacts = self.client.context().artifacts();
        if artifacts.stat(layer.digest.as_str())?.is_some_and(|info| info.size == layer.size) {
            return Ok(());
        }
        let doing = format!("pull the layer {} of {}", layer.digest, self.shown);
        let call = self.blob(&layer.digest);
        let answer = self.client.download(&call, &doing)?;
        if answer.status() != 200 {
            return Err(self.client.refused(&answer.whole()?, &doing));
        }
        let mut artifact = artifacts.create(layer.media_type.as_str())?;
        let bytes = io::copy(&mut answer.take(layer.size.saturating_add(1)), &mut artifact)?;
        if bytes < layer.size {
            let message = format!("failed to {doing}: it ended after {bytes} of {} bytes", layer.size);
            return Err(Failure::retryable("registry-truncated", message));
        }
        if bytes > layer.size || artifact.finish(None)?.digest != layer.digest.as_str() {
            return Err(self.mismatch(&format!("the layer {}", layer.digest)));
        }
        self.client.context().log().info("pulled a layer", &[("digest", &layer.digest), ("bytes", &bytes)]);
        Ok(())
    }

    fn blob(&self, digest: &Digest) -> Call<'static> {
        Call::new("GET", format!("/v2/{}/blobs/{digest}", self.repository))
    }

    fn failure(&self, code: &str, reason: &str) -> Failure {
        Failure::permanent(code, format!("the base {} {reason}", self.shown))
    }

    fn missing(&self, version: &str) -> Failure {
        let reason =
            format!("does not exist, or {} does not show it: it has no {version}", self.client.name());
        self.failure("base-missing", &reason)
    }

    fn mismatch(&self, what: &str) -> Failure {
        let message = format!(
            "failed to pull the base {}: {} gave other bytes for {what} than its digest says",
            self.shown,
            self.client.name()
        );
        Failure::permanent(MISMATCH, message)
    }
}

/// What the document says of itself counts more than what the registry says of it.
fn media_type(answer: &Response) -> String {
    let body: Value = serde_json::from_slice(answer.bytes()).unwrap_or_default();
    let told = answer.header("content-type").and_then(|text| text.split(';').next()).unwrap_or_default();
    body.get("mediaType").and_then(Value::as_str).unwrap_or_else(|| told.trim()).to_owned()
}
