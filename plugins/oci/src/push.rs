//! `push-to-registry`: an image of this execution, sent to a registry.

use quantum_sdk::prelude::*;

use crate::digest::Digest;
use crate::image::{BASE_NAME, MANIFEST, MANIFEST_BYTES_MAX, Manifest};
use crate::layer::percent;
use crate::reference::{self, DEFAULT_TAG, Reference};
use crate::registry::{self, Client, Put, Target};
use crate::settings::Config;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PushToRegistry {
    /// Where to: `host[:port]`, such as `azurecr.io`.
    registry: String,
    /// What the image was built as, `myapp:1.2.3`, or the digest of its manifest.
    image: String,
    /// The repository there; by default that of the image's name.
    #[serde(default)]
    repository: Option<String>,
    /// The tag there; by default that of the image's name.
    #[serde(default)]
    tag: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Pushed {
    /// What was pushed, as the step names it.
    image: String,
    /// `azurecr.io/myapp@sha256:…`.
    reference: String,
    digest: Digest,
    registry: String,
    repository: String,
    /// None: it was pushed by its digest alone.
    tag: Option<String>,
    /// Blobs that were sent.
    pushed_blobs: usize,
    /// Blobs that were there already, or in the base's repository.
    reused_blobs: usize,
    /// Bytes that were sent, without the manifest.
    bytes: u64,
}

/// Pushes an image to a registry.
///
/// Takes what `build-container` made in the same execution. Blobs that the registry has are not sent again, so it can be
/// repeated, and a repeated one costs little.
#[action(idempotent, http = slot("registry"), artifacts, secrets("REGISTRY_PASSWORD"))]
pub fn push_to_registry(ctx: &Context, p: PushToRegistry) -> Result<Pushed> {
    let config: Config = ctx.config()?;
    let place = Place::new(&p)?;
    let image = Image::open(ctx, &p.image)?;
    let mount_from = image.base_repository(&place);
    let mut scopes = vec![registry::scope(&place.repository, "pull,push")];
    scopes.extend(mount_from.iter().map(|repository| registry::scope(repository, "pull")));
    let mut client = Client::new(ctx, &config, &place.registry, scopes)?;
    let target =
        Target { repository: place.repository.clone(), chunk_bytes: config.chunk_bytes.get(), mount_from };
    let tally = push_blobs(ctx, &mut client, &target, &image.manifest)?;
    let version = place.tag.as_deref().unwrap_or(image.digest.as_str());
    registry::put_manifest(&mut client, &place.repository, version, &image.media_type, &image.bytes)?;
    ctx.progress(100, "pushed");
    let reference = format!("{}/{}@{}", place.registry, place.repository, image.digest);
    ctx.log().info("pushed", &[("reference", &reference), ("tag", &place.tag), ("bytes", &tally.bytes)]);
    Ok(Pushed {
        image: p.image,
        reference,
        digest: image.digest,
        registry: place.registry,
        repository: place.repository,
        tag: place.tag,
        pushed_blobs: tally.pushed,
        reused_blobs: tally.reused,
        bytes: tally.bytes,
    })
}

#[derive(Default)]
struct Tally {
    pushed: usize,
    reused: usize,
    bytes: u64,
}

fn push_blobs(ctx: &Context, client: &mut Client<'_>, target: &Target, manifest: &Manifest) -> Result<Tally> {
    let blobs = manifest.blobs();
    let all: u64 = blobs.iter().map(|blob| blob.size).sum();
    let (mut tally, mut done) = (Tally::default(), 0);
    for blob in blobs {
        let mut sent = |bytes: u64| {
            let message = format!("pushing {}", blob.digest);
            ctx.progress(percent(done + bytes, all).min(99), &message);
        };
        match registry::put_blob(client, target, blob, &mut sent)? {
            Put::Reused => tally.reused += 1,
            Put::Sent => {
                tally.pushed += 1;
                tally.bytes += blob.size;
            }
        }
        done += blob.size;
    }
    Ok(tally)
}

/// Where the image goes.
struct Place {
    registry: String,
    repository: String,
    tag: Option<String>,
}

impl Place {
    fn new(p: &PushToRegistry) -> Result<Self> {
        let registry = reference::registry_name(&p.registry)?;
        let named = if Digest::parse(&p.image).is_some() { None } else { Some(Reference::parse(&p.image)?) };
        let repository = match (&p.repository, &named) {
            (Some(repository), _) if reference::is_repository(repository) => repository.clone(),
            (Some(repository), _) => return Err(no_repository(repository)),
            (None, Some(named)) => named.repository.clone(),
            (None, None) => return Err(unnamed(&p.image)),
        };
        let tag = match (&p.tag, named) {
            (Some(tag), _) if reference::is_tag(tag) => Some(tag.clone()),
            (Some(tag), _) => return Err(no_tag(tag)),
            (None, Some(Reference { tag: None, digest: Some(_), .. }) | None) => None,
            (None, Some(named)) => Some(named.tag_or_default().to_owned()),
        };
        Ok(Self { registry, repository, tag })
    }
}

/// An image of this execution.
struct Image {
    bytes: Vec<u8>,
    media_type: String,
    digest: Digest,
    manifest: Manifest,
}

impl Image {
    fn open(ctx: &Context, image: &str) -> Result<Self> {
        let artifacts = ctx.artifacts();
        let mut found = None;
        for name in names(image) {
            if let Some(info) = artifacts.stat(&name)? {
                found = Some(info);
                break;
            }
        }
        let info = found.ok_or_else(|| missing(image))?;
        let refused = |reason: &str| {
            let message = format!(
                "the artifact \"{image}\" is no image: {reason}; build-container makes images, and its output's \
                `image` is the name of one"
            );
            Failure::permanent("image-unsupported", message)
        };
        if info.size > MANIFEST_BYTES_MAX {
            return Err(refused("it is larger than a manifest can be"));
        }
        let mut bytes = Vec::new();
        std::io::copy(&mut artifacts.open(&info.digest)?, &mut bytes)?;
        let manifest: Manifest =
            serde_json::from_slice(&bytes).map_err(|error| refused(&format!("as a manifest, {error}")))?;
        let media_type = manifest.media_type.clone().unwrap_or_else(|| MANIFEST.to_owned());
        if media_type != MANIFEST {
            return Err(refused(&format!("it is of the type {media_type}")));
        }
        for blob in manifest.blobs() {
            if artifacts.stat(blob.digest.as_str())?.is_none_or(|info| info.size != blob.size) {
                return Err(incomplete(image, &blob.digest));
            }
        }
        Ok(Self { media_type, digest: Digest::of(&bytes), manifest, bytes })
    }

    /// The repository of the base, where it is in the same registry and another repository.
    fn base_repository(&self, place: &Place) -> Option<String> {
        let base = Reference::parse(self.manifest.annotations.get(BASE_NAME)?).ok()?;
        let (registry, repository) = base.source();
        (registry == place.registry && repository != place.repository).then_some(repository)
    }
}

/// What an image may be stored as: its digest, its name as it is written, or with the tag that is meant.
fn names(image: &str) -> Vec<String> {
    let named = Reference::parse(image).ok();
    let digest = named.as_ref().and_then(|named| named.digest.as_ref()).map(Digest::to_string);
    let tagged = named.filter(|named| named.tag.is_none() && named.digest.is_none());
    let tagged = tagged.map(|_| format!("{image}:{DEFAULT_TAG}"));
    digest.into_iter().chain([image.to_owned()]).chain(tagged).collect()
}

fn missing(image: &str) -> Failure {
    let message = format!(
        "this execution has no image \"{image}\": let build-container make it in an earlier step, and give here what its \
        output calls `image`"
    );
    Failure::permanent("image-missing", message)
}

fn incomplete(image: &str, digest: &Digest) -> Failure {
    let message = format!("the image \"{image}\" is not complete: its blob {digest} is gone; build it again");
    Failure::permanent("image-incomplete", message)
}

fn unnamed(digest: &str) -> Failure {
    let message =
        format!("{digest} says nothing of where it goes: give the step repository, and a tag if it has one");
    Failure::permanent("repository-missing", message)
}

fn no_repository(text: &str) -> Failure {
    let message = format!(
        "\"{text}\" is not the name of a repository: write lowercase letters, digits, and single separators, like \
        team/myapp"
    );
    Failure::permanent("repository-invalid", message)
}

fn no_tag(text: &str) -> Failure {
    let message = format!(
        "\"{text}\" is not a tag: it has at most 128 letters, digits, _ . -, and starts with none of . -"
    );
    Failure::permanent("tag-invalid", message)
}
