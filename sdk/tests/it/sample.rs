//! A plugin that uses every word of `#[action]`.

use quantum_sdk::plugin;
use quantum_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
pub struct Settings {
    /// Where images go.
    pub registry: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct Push {
    /// The image's name.
    pub image: Image,
    #[serde(default)]
    pub tags: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
pub struct Image {
    pub name: String,
}

#[derive(Serialize, JsonSchema)]
pub struct Pushed {
    pub reference: String,
}

/// Pushes an image. Layers that are there are
/// not sent again.
///
/// The second paragraph.
#[action(
    name = "push-to-registry",
    aliases("push", "upload"),
    idempotent,
    reversible,
    dry_run,
    http = slot("registry"),
    http = "https://auth.example.com",
    response_bytes_max = 1_073_741_824,
    artifacts,
    secrets("REGISTRY_TOKEN"),
    memory_bytes_max = 134_217_728,
    clock
)]
pub fn push(ctx: &Context, p: Push) -> Result<Pushed> {
    let settings: Settings = ctx.config()?;
    let reference = format!("{}/{}", settings.registry, p.image.name);
    for tag in p.tags {
        ctx.http().request("PUT", format!("https://{reference}/{tag}")).send()?.error_for_status()?;
    }
    Ok(Pushed { reference })
}

/// Counts once.
#[action(
    title = "Count up",
    effects = at_most_once,
    no_side_effects,
    kv,
    secrets("REGISTRY_TOKEN", "SIGNING_KEY", in = "query,body"),
    reveal("SEED"),
    memory_bytes_max = 100_000_000,
    random
)]
pub fn count_up(_ctx: &Context, p: i64) -> quantum_sdk::Result<i64> {
    p.checked_add(1).ok_or_else(|| Failure::permanent("overflow", "there is no larger number").details(&p))
}

plugin!(push, count_up; config = Settings);
