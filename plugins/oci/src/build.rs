//! `build-container`: an image from files and, where one is given, a base.

use std::collections::BTreeMap;

use quantum_sdk::prelude::*;

use crate::config::{self, Runtime};
use crate::digest::Digest;
use crate::files::Files;
use crate::image::{self, BASE_DIGEST, BASE_NAME, CONFIG, Descriptor, MANIFEST, Manifest};
use crate::layer::{self, Layer, Placement};
use crate::path;
use crate::platform::Platform;
use crate::reference::{DEFAULT_TAG, Reference};
use crate::registry::{self, Base};
use crate::settings::Config;

/// A base that is none.
const SCRATCH: &str = "scratch";
/// A file of a context that other tools read.
const DOCKERFILE: &str = "Dockerfile";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildContainer {
    /// What the image is called: `myapp:1.2.3`. Without a tag, `latest` is meant.
    image: String,
    /// The artifact with the files: a tar, plain or packed with gzip. By default what the installation's configuration
    /// says.
    #[serde(default)]
    context: Option<String>,
    /// The image to build upon, pulled from its registry; by default what the installation's configuration says, and
    /// `scratch` is none.
    #[serde(default)]
    base: Option<String>,
    /// The program that is run.
    #[serde(default)]
    entrypoint: Option<Vec<String>>,
    /// Its arguments, or the program where there is no entrypoint.
    #[serde(default)]
    cmd: Option<Vec<String>>,
    /// Variables, added to the base's.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// The directory that it runs in; by default the base's, else `prefix`.
    #[serde(default)]
    workdir: Option<String>,
    /// The user that it runs as: a name or a number, and optionally a group behind a colon.
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// Ports that it listens on: `8080`, `"8080/tcp"`, `"53/udp"`.
    #[serde(default)]
    exposed_ports: Vec<Port>,
    /// What it runs on: `os/architecture` or `os/architecture/variant`.
    #[serde(default = "usual_platform")]
    platform: String,
    /// The directory of the image that the files are put into.
    #[serde(default = "usual_prefix")]
    prefix: String,
    /// Seconds since 1970 that the image and every file in it are dated at. The same context gives the same digest, so a
    /// build does not look at the clock.
    #[serde(default)]
    source_date_epoch: u32,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Port {
    Number(u16),
    Text(String),
}

fn usual_platform() -> String {
    "linux/amd64".to_owned()
}

fn usual_prefix() -> String {
    "/app".to_owned()
}

#[derive(Serialize, JsonSchema)]
pub struct Built {
    /// What the image is called in this execution, with its tag.
    image: String,
    /// `myapp@sha256:…`.
    reference: String,
    /// Of the manifest.
    digest: Digest,
    /// Bytes of layers, configuration and manifest, as they are stored.
    size: u64,
    layers: usize,
}

/// Assembles a container image from files.
///
/// The files are an artifact: `quantum artifact put NAME DIR` stores a folder. They become one layer upon the base's, or
/// the only one. The image is kept as an artifact of the execution, under its name, for `push-to-registry`. Nothing is
/// run, so a Dockerfile in the context is not read.
#[action(
    idempotent,
    aliases("build-docker-image"),
    http = slot("registry"),
    artifacts,
    secrets("REGISTRY_PASSWORD"),
    response_bytes_max = 1_073_741_824
)]
pub fn build_container(ctx: &Context, p: BuildContainer) -> Result<Built> {
    let config: Config = ctx.config()?;
    let plan = Plan::new(p, &config)?;
    let files = Files::read(ctx, &plan.context, config.context_bytes_max)?;
    if files.contains(DOCKERFILE) {
        let message =
            "the context has a Dockerfile, which is not read: what it says is told by the parameters";
        ctx.log().warn(message, &[("context", &plan.context)]);
    }
    let base = match &plan.base {
        Some(reference) => {
            ctx.progress(0, "pulling the base");
            Some(registry::pull(ctx, &config, reference, &plan.platform)?)
        }
        None => None,
    };
    let placement = plan.placement(base.is_some());
    let layer = layer::write(ctx, &files, &placement)?;
    let built = plan.store(ctx, base.as_ref(), layer)?;
    ctx.progress(100, "built");
    ctx.log().info("built", &[("image", &built.image), ("digest", &built.digest), ("bytes", &built.size)]);
    Ok(built)
}

/// What the step and the installation ask for, checked.
struct Plan {
    name: String,
    image: Reference,
    context: String,
    base: Option<Reference>,
    runtime: Runtime,
    platform: Platform,
    prefix: String,
    created_s: u64,
}

impl Plan {
    fn new(p: BuildContainer, config: &Config) -> Result<Self> {
        let image = Reference::parse(&p.image)?;
        if image.digest.is_some() || Digest::parse(&p.image).is_some() {
            let message =
                format!("\"{}\" has a digest, which only comes out of a build: give name and tag", p.image);
            return Err(Failure::permanent("image-invalid", message));
        }
        let context = p.context.or_else(|| config.context.clone()).ok_or_else(no_context)?;
        let base = p.base.or_else(|| config.base.clone()).filter(|base| base != SCRATCH);
        let base = base.map(|base| Reference::parse(&base)).transpose()?;
        let prefix = path::in_image(&p.prefix)?;
        let runtime = Runtime {
            entrypoint: p.entrypoint,
            cmd: p.cmd,
            env: variables(p.env)?,
            workdir: p.workdir.map(absolute).transpose()?,
            user: p.user,
            labels: p.labels,
            exposed_ports: p.exposed_ports.iter().map(port).collect::<Result<_>>()?,
        };
        Ok(Self {
            name: p.image,
            image,
            context,
            base,
            runtime,
            platform: Platform::parse(&p.platform)?,
            prefix,
            created_s: p.source_date_epoch.into(),
        })
    }

    fn placement(&self, over_base: bool) -> Placement {
        Placement { prefix: self.prefix.clone(), modified_s: self.created_s, over_base }
    }

    /// Stores configuration and manifest, and gives the manifest the image's name.
    fn store(&self, ctx: &Context, base: Option<&Base>, layer: Layer) -> Result<Built> {
        let mut runtime = self.runtime.clone();
        if runtime.workdir.is_none() && base.is_none_or(|base| !base.has_workdir()) {
            runtime.workdir = Some(format!("/{}", self.prefix));
        }
        let config = config::build(base, &self.platform, &runtime, &layer.diff_id, self.created_s);
        let config = ctx.artifacts().put(None, CONFIG, &image::json(&config)?)?;
        let mut layers = base.map(|base| base.layers.clone()).unwrap_or_default();
        layers.push(layer.descriptor);
        let manifest = Manifest::new(Descriptor::of(CONFIG, &config)?, layers, annotations(base));
        let stored = self.store_named(ctx, &image::json(&manifest)?)?;
        let all = manifest.layers.iter().chain([&manifest.config, &stored]);
        Ok(Built {
            image: format!("{}:{}", self.image.name(), self.image.tag_or_default()),
            reference: format!("{}@{}", self.image.name(), stored.digest),
            size: all.map(|blob| blob.size).sum(),
            layers: manifest.layers.len(),
            digest: stored.digest,
        })
    }

    /// Under the name as it is written, and with the tag that is meant where it has none.
    fn store_named(&self, ctx: &Context, manifest: &[u8]) -> Result<Descriptor> {
        if self.image.tag.is_none() {
            let named = format!("{}:{DEFAULT_TAG}", self.name);
            ctx.artifacts().put(named.as_str(), MANIFEST, manifest)?;
        }
        Descriptor::of(MANIFEST, &ctx.artifacts().put(self.name.as_str(), MANIFEST, manifest)?)
    }
}

fn annotations(base: Option<&Base>) -> BTreeMap<String, String> {
    let base = base.map(|base| [(BASE_DIGEST, base.digest.to_string()), (BASE_NAME, base.name.clone())]);
    base.into_iter().flatten().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn no_context() -> Failure {
    let message = "nothing says which files the image is made of: store them by `quantum artifact put NAME DIR`, and \
        give the step context: NAME, or set context in the installation's configuration";
    Failure::permanent("context-missing", message)
}

fn variables(env: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    match env.keys().find(|name| name.is_empty() || name.contains(['=', '\0'])) {
        None => Ok(env),
        Some(name) => {
            let message = format!("\"{name}\" in env is no name of a variable: it is empty or has = in it");
            Err(Failure::permanent("env-invalid", message))
        }
    }
}

fn absolute(workdir: String) -> Result<String> {
    if workdir.starts_with('/') {
        return Ok(workdir);
    }
    let message = format!("the workdir \"{workdir}\" does not start with a slash: write for example /app");
    Err(Failure::permanent("workdir-invalid", message))
}

/// `80/tcp` of `80`, `"80"` and `"80/tcp"`.
fn port(port: &Port) -> Result<String> {
    let text = match port {
        Port::Number(number) => number.to_string(),
        Port::Text(text) => text.clone(),
    };
    let (number, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
    let number = number.parse::<u16>().ok().filter(|number| *number > 0);
    match (number, protocol) {
        (Some(number), "tcp" | "udp" | "sctp") => Ok(format!("{number}/{protocol}")),
        _ => {
            let message =
                format!("\"{text}\" in exposed_ports is no port: write for example 8080 or \"53/udp\"");
            Err(Failure::permanent("port-invalid", message))
        }
    }
}
