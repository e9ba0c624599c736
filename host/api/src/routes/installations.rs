//! Plugins of the tenant: install, look at the consent, uninstall. Installing is consent, so it is an administrator's.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{StatusCode, header};
use quantum_catalog::{Consent, Install, InstalledPlugin, Origin};
use quantum_core::manifest::{HostPattern, Manifest};
use quantum_core::problem::Finding;
use quantum_core::vocabulary::{Operation, Signature, Trust};
use quantum_marketplace::inspect;
use quantum_policy::{Context, PluginFacts};
use serde_json::{Value, json};

use crate::auth::Session;
use crate::authorize::Subject;
use crate::codes;
use crate::extract::{Parameters, Payload, Segment, typed};
use crate::json;
use crate::problem::Problem;
use crate::routes::BASE;
use crate::state::Api;
use crate::wire::{ConfigureBody, InstallationBody, InstallationList, InstalledBody, findings};

/// What an upload is declared as.
const COMPONENT: &str = "application/wasm";
/// Milliseconds after which another upload may have ended.
const UPLOAD_RETRY_MS: u64 = 5_000;

/// What is installed, with consent: earlier versions too.
#[utoipa::path(
    get, path = "/installations", tag = "plugins",
    responses((status = 200, body = InstallationList, description = "By plugin, the active version first"))
)]
pub(crate) async fn list_installations(
    State(api): State<Api>,
    session: Session,
) -> Result<Response, Problem> {
    api.authorize(&session, Operation::PluginList, Subject::Tenant)?;
    let plugins = api.services.catalog.installations(&session.scope).list().await?;
    let items = plugins.iter().map(|plugin| InstallationBody::from(plugin.as_ref())).collect();
    Ok(axum::Json(InstallationList { items, next_page_token: None }).into_response())
}

/// The version of a plugin that names resolve to.
#[utoipa::path(
    get, path = "/installations/{id}", tag = "plugins",
    params(("id" = String, Path, description = "namespace:name", example = "quantum:http")),
    responses((status = 200, body = InstallationBody, description = "With what was consented to"))
)]
pub(crate) async fn get_installation(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
) -> Result<Response, Problem> {
    api.authorize(&session, Operation::PluginList, Subject::Tenant)?;
    let plugin = api.services.catalog.installations(&session.scope).get(&id).await?;
    Ok(axum::Json(InstallationBody::from(plugin.as_ref())).into_response())
}

/// Installs or upgrades a plugin from its file. What it declares and the parameters allow is granted to it.
#[utoipa::path(
    post, path = "/installations", tag = "plugins",
    request_body(content = Vec<u8>, content_type = "application/wasm", description = "The component, with its manifest"),
    params(
        ("allow_host" = Option<Vec<String>>, Query, description = "Fills the plugin's slots, one pattern each",
         example = json!(["https://api.example.com"])),
        ("config" = Option<String>, Query, description = "JSON text that fits the manifest's config schema: short for settings with nothing else"),
        ("settings" = Option<String>, Query, description = "JSON text: config, secrets, endpoints, defaults, and what differs by environment"),
        ("accept_gains" = Option<bool>, Query, description = "What an upgrade gains was read, and is wanted")
    ),
    responses((status = 201, body = InstalledBody, description = "Its actions resolve from now on"))
)]
pub(crate) async fn install_plugin(
    State(api): State<Api>,
    session: Session,
    parameters: Parameters,
    payload: Payload,
) -> Result<Response, Problem> {
    api.authorize(&session, Operation::PluginList, Subject::Tenant)?;
    let consent = read_consent(&parameters)?;
    let busy = |_| Problem::unavailable("other uploads are being taken in", UPLOAD_RETRY_MS);
    let _place = api.uploads.try_acquire().map_err(busy)?;
    let bytes = payload.raw(&api.limits, api.limits.component_bytes_max, COMPONENT).await?;
    let (manifest, found) = examine(bytes.clone()).await?;
    let context = Context { plugin: Some(uploaded(&session, &manifest)), ..session.context.clone() };
    api.authorize_in(&session, Operation::PluginInstall, Subject::Tenant, &context)?;
    if found.iter().any(Finding::is_error) {
        return Err(Problem::new(&codes::INVALID_PLUGIN)
            .detail("the plugin cannot be installed as it is")
            .findings(found));
    }
    // In this order a crash leaves at most a blob that nothing names.
    let component = api.services.sandbox.install_asking(bytes.to_vec(), manifest.memory_bytes_max).await?;
    api.services.blobs.put(bytes.into()).await?;
    let install = Install { manifest, component, consent, installed_by: session.caller.id.clone() };
    let installed =
        api.services.catalog.installations(&session.scope).install(install, session.now()).await?;
    tracing::info!(tenant = %session.tenant(), by = %session.caller.id, plugin = installed.plugin.id(), "a plugin was installed");
    let location = [(header::LOCATION, format!("{BASE}/installations/{}", installed.plugin.id()))];
    let installation = installed.plugin.as_ref().into();
    let body = InstalledBody { installation, diff: installed.diff, findings: findings(&found) };
    Ok((StatusCode::CREATED, location, axum::Json(body)).into_response())
}

/// Agrees anew to a plugin: which hosts it may call, and its settings. For a plugin that comes with the host it makes the
/// tenant's own installation. What is left out stays as it is.
#[utoipa::path(
    put, path = "/installations/{id}", tag = "plugins",
    params(("id" = String, Path, description = "namespace:name", example = "quantum:oci")),
    request_body = ConfigureBody,
    responses((status = 200, body = InstalledBody, description = "In force for steps that start from now on"))
)]
pub(crate) async fn configure_plugin(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    payload: Payload,
) -> Result<Response, Problem> {
    api.authorize(&session, Operation::PluginList, Subject::Tenant)?;
    let installations = api.services.catalog.installations(&session.scope);
    let plugin = installations.get(&id).await?;
    let context = Context { plugin: Some(installed(&session, &plugin)), ..session.context.clone() };
    api.authorize_in(&session, Operation::PluginInstall, Subject::Tenant, &context)?;
    let body: ConfigureBody = typed(payload.json(&api.limits, api.limits.document_bytes_max).await?.value)?;
    let consent = Consent { hosts: body.hosts()?, settings: body.settings, accept_gains: true };
    let by = session.caller.id.clone();
    let done = installations.configure(&id, consent, by, session.now()).await?;
    tracing::info!(tenant = %session.tenant(), by = %session.caller.id, plugin = id, "a plugin was configured");
    let installation = done.plugin.as_ref().into();
    let body = InstalledBody { installation, diff: done.diff, findings: Vec::new() };
    Ok(axum::Json(body).into_response())
}

/// Removes all versions of a plugin. Executions that are pinned to one of them fail at their next step.
#[utoipa::path(
    delete, path = "/installations/{id}", tag = "plugins",
    params(("id" = String, Path, description = "namespace:name", example = "quantum:http")),
    responses((status = 204, description = "Removed"))
)]
pub(crate) async fn uninstall_plugin(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
) -> Result<Response, Problem> {
    api.authorize(&session, Operation::PluginList, Subject::Tenant)?;
    let installations = api.services.catalog.installations(&session.scope);
    let plugin = installations.get(&id).await?;
    let context = Context { plugin: Some(installed(&session, &plugin)), ..session.context.clone() };
    api.authorize_in(&session, Operation::PluginUninstall, Subject::Tenant, &context)?;
    installations.uninstall(&id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn read_consent(parameters: &Parameters) -> Result<Consent, Problem> {
    parameters.check(&["config", "settings", "accept_gains"], &["allow_host"])?;
    let refused = |pointer: &str, message: String| {
        let finding = Finding::error(pointer, codes::INVALID_CONSENT.code, message.clone());
        Problem::new(&codes::INVALID_CONSENT).detail(message).finding(finding)
    };
    let host = |text| HostPattern::parse(text).map_err(|error| refused("?allow_host", error.to_string()));
    let read = |name: &str, text: &str| -> Result<Value, Problem> {
        json::parse(text.as_bytes()).map_err(|error| refused(name, error.message))
    };
    let settings = match (parameters.text("settings"), parameters.text("config")) {
        (Some(_), Some(_)) => {
            return Err(refused("?config", "the settings hold a configuration already".to_owned()));
        }
        (Some(text), None) => Some(read("?settings", text)?),
        (None, Some(text)) => Some(json!({ "config": read("?config", text)? })),
        (None, None) => None,
    };
    let settings = settings.map(serde_json::from_value).transpose();
    Ok(Consent {
        hosts: parameters.all("allow_host").map(host).collect::<Result<_, _>>()?,
        settings: settings.map_err(|error| refused("?settings", error.to_string()))?,
        accept_gains: parameters.flag("accept_gains")?,
    })
}

/// Off the threads that serve requests: a component has megabytes.
async fn examine(bytes: Bytes) -> Result<(Manifest, Vec<Finding>), Problem> {
    let inspected = tokio::task::spawn_blocking(move || {
        inspect(&bytes).map(|inspection| (inspection.findings(), inspection.manifest))
    });
    let (findings, manifest) = inspected.await.map_err(|error| Problem::internal(&error))??;
    Ok((manifest, findings))
}

fn installed(session: &Session, plugin: &InstalledPlugin) -> PluginFacts {
    let own = plugin.origin != Origin::Bundled;
    PluginFacts {
        tenant: own.then(|| session.tenant().clone()),
        trust: plugin.trust,
        signature: plugin.signature,
        ..uploaded(session, &plugin.manifest)
    }
}

/// A file that an administrator installs is trusted in that tenant, and only there.
fn uploaded(session: &Session, manifest: &Manifest) -> PluginFacts {
    PluginFacts {
        id: manifest.id.clone(),
        tenant: Some(session.tenant().clone()),
        trust: Trust::Verified,
        signature: Signature::Verified,
        capabilities: manifest.capabilities.declared(),
        yanked: false,
    }
}
