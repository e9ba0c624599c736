//! Consent, configuration, upgrades and removal.

use std::future::poll_fn;
use std::task::Poll;

use quantum_catalog::{CapabilityDiff, Consent, Error, Install, Installed, Origin, Tenant};
use quantum_core::id::TenantId;
use quantum_core::manifest::Manifest;
use quantum_core::vocabulary::{Capability, Signature, Trust};
use serde_json::{Value, json};

use crate::support::{World, action, ann, at, digest, hosts, http_plugin, plugin, refused, told, world};

/// `acme:tool` with some capabilities.
fn tool(version: &str, capabilities: Value) -> Manifest {
    plugin(json!({
        "id": "acme:tool", "version": version, "actions": [action("use-tool", &[], "x")], "capabilities": capabilities,
    }))
}

fn allow(patterns: &[&str]) -> Consent {
    Consent { hosts: hosts(patterns), ..Consent::default() }
}

impl World {
    async fn try_install(
        &self,
        manifest: Manifest,
        component: u64,
        consent: Consent,
    ) -> Result<Installed, Error> {
        let install = Install { manifest, component: digest(component), consent, installed_by: ann() };
        self.catalog.installations(&self.scope).install(install, at(5)).await
    }
}

/// The findings of a refused consent, with their hints.
fn findings<T: std::fmt::Debug>(result: Result<T, Error>) -> Vec<(String, String)> {
    let Err(Error::InvalidConsent { findings, .. }) = result else { panic!("{result:?}") };
    findings.into_iter().map(|f| (format!("{} {}", f.pointer, f.code), f.hint.unwrap_or_default())).collect()
}

#[tokio::test]
async fn the_grant_is_what_is_declared_and_allowed() {
    let world = world().await;
    let declared =
        json!({ "http": { "hosts": ["https://api.example.com"], "slots": ["registry"] }, "kv": true });
    let made = world.try_install(tool("1.0.0", declared), 2, allow(&["https://r.example"])).await.unwrap();
    let plugin = &made.plugin;
    assert_eq!(plugin.grant.capabilities, [Capability::Http, Capability::Kv]);
    assert_eq!(plugin.grant.hosts, hosts(&["https://api.example.com", "https://r.example"]));
    assert_eq!((plugin.trust, plugin.signature, plugin.active), (Trust::Verified, Signature::Verified, true));
    assert_eq!(plugin.origin, Origin::Installed { by: ann(), at: at(5) });
    assert_eq!((made.diff.from_version.as_deref(), made.diff.gains_power()), (None, true));
    let installations = world.catalog.installations(&world.scope);
    assert_eq!(installations.get("acme:tool").await.unwrap(), made.plugin);
    let ids: Vec<_> =
        installations.list().await.unwrap().iter().map(|plugin| plugin.id().to_owned()).collect();
    assert_eq!(ids, ["acme:tool", "quantum:http"]);
}

#[tokio::test]
async fn a_slot_needs_a_host_and_a_plugin_without_slots_takes_none() {
    let world = world().await;
    let slots = json!({ "http": { "slots": ["registry", "cluster"] } });
    let [(place, hint)] = &findings(world.try_install(tool("1.0.0", slots), 2, allow(&[])).await)[..] else {
        panic!("one")
    };
    assert_eq!(place, "/hosts slot-empty");
    assert!(hint.contains("--allow-host URL"), "{hint}");

    let fixed = json!({ "http": { "hosts": ["https://api.example.com"] } });
    let more = allow(&["https://api.example.com", "https://evil.example"]);
    let [(place, hint)] = &findings(world.try_install(tool("1.0.0", fixed.clone()), 2, more).await)[..]
    else {
        panic!("one")
    };
    assert_eq!(place, "/hosts/1 host-not-declared");
    assert!(hint.contains("leave --allow-host out: it may call https://api.example.com"), "{hint}");
    world.try_install(tool("1.0.0", fixed), 2, allow(&[])).await.unwrap();

    let [(place, hint)] = &findings(world.try_install(tool("2.0.0", json!({})), 3, allow(&["*"])).await)[..]
    else {
        panic!("one")
    };
    assert_eq!(place, "/hosts/0 host-not-declared");
    assert!(hint.starts_with("it makes no requests"), "{hint}");
}

#[tokio::test]
async fn a_configuration_fits_the_schema_of_the_plugin() {
    let world = world().await;
    let mut manifest = tool("1.0.0", json!({}));
    let configured = |config: Value| settled(json!({ "config": config }));
    let refusal = findings(world.try_install(manifest.clone(), 2, configured(json!({ "a": 1 }))).await);
    assert_eq!(refusal[0].0, "/settings/config config");
    manifest.config = Some(json!({
        "type": "object", "properties": { "region": { "type": "string" } }, "required": ["region"], "additionalProperties": false,
    }));
    let refusal = findings(world.try_install(manifest.clone(), 2, Consent::default()).await);
    assert_eq!(refusal[0].0, "/settings/config config", "what is required is asked for");
    let refusal = findings(
        world.try_install(manifest.clone(), 2, configured(json!({ "region": "eu", "regoin": 1 }))).await,
    );
    assert_eq!(
        refusal[0],
        ("/settings/config/regoin config".to_owned(), "did you mean \"region\"?".to_owned())
    );
    world.try_install(manifest.clone(), 2, configured(json!({ "region": "eu" }))).await.unwrap();
    manifest.version = "1.1.0".into();
    let upgraded = world.try_install(manifest, 3, Consent::default()).await.unwrap();
    let kept = Value::Object(upgraded.plugin.settings.written().config.clone());
    assert_eq!(kept, json!({ "region": "eu" }), "an upgrade keeps it");
}

#[tokio::test]
async fn settings_name_only_what_the_plugin_has() {
    let world = world().await;
    let capabilities = json!({ "http": { "slots": ["registry"] }, "secrets": [{ "name": "TOKEN" }] });
    let mut consent = settled(json!({
        "config": { "a": 1 },
        "secrets": { "TOKN": "MY_TOKEN", "TOKEN": "my-token" },
        "endpoints": {
            "r.example": { "url": "http://127.0.0.1:5000/v2", "ca": "text" }, "https://r.example": {}
        },
        "defaults": [
            { "action": "rnu", "parameters": {} },
            { "action": "use-tool", "parameters": { "y": 1, "x": "${ step.a }" } }
        ],
        "environments": { "test": { "environments": { "test": {} } } },
    }));
    consent.hosts = hosts(&["https://r.example"]);
    let refusal = findings(world.try_install(tool("1.0.0", capabilities), 2, consent).await);
    let places: Vec<&str> = refusal.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(
        places,
        [
            "/settings/secrets/TOKEN secret-name",
            "/settings/secrets/TOKN secret-not-declared",
            "/settings/endpoints/https:~1~1r.example endpoint-host",
            "/settings/endpoints/r.example/url endpoint-url",
            "/settings/endpoints/r.example/ca endpoint-ca",
            "/settings/defaults/0/action action-unknown",
            "/settings/defaults/1/parameters/y parameter-unknown",
            "/settings/defaults/1/parameters/x expression-variable",
            "/settings/environments/test/environments settings",
            "/settings/config config",
        ]
    );
    assert_eq!(refusal[1].1, "did you mean \"TOKEN\"?");
}

fn settled(settings: Value) -> Consent {
    Consent { settings: Some(serde_json::from_value(settings).unwrap()), ..Consent::default() }
}

#[tokio::test]
async fn a_broken_manifest_is_refused_with_what_is_wrong() {
    let world = world().await;
    let mut manifest = tool("1.0", json!({}));
    manifest.config = Some(json!({ "type": "strange" }));
    let error = world.try_install(manifest, 2, Consent::default()).await.unwrap_err();
    let Error::InvalidManifest { findings } = &error else { panic!("{error}") };
    assert_eq!(told(findings), ["Error /version manifest-version", "Error /config manifest-schema"]);
}

#[tokio::test]
async fn an_upgrade_that_gains_power_needs_the_word_of_the_installer() {
    let world = world().await;
    let slots = json!({ "http": { "slots": ["registry"] } });
    world.try_install(tool("1.0.0", slots), 2, allow(&["https://r.example"])).await.unwrap();
    let more = json!({
        "http": { "hosts": ["https://stats.example"], "slots": ["registry"] }, "kv": true, "secrets": [{ "name": "TOKEN" }],
    });
    let refusal = world.try_install(tool("2.0.0", more.clone()), 3, Consent::default()).await;
    let (code, text) = refused(refusal);
    assert_eq!(code, "consent-needed");
    assert_eq!(
        text,
        "acme:tool 2.0.0 asks for more than the installed version may do: capability kv, capability secrets.use, \
         host https://stats.example, secret TOKEN; read what is new; to agree, add --accept-gains"
    );
    let installations = world.catalog.installations(&world.scope);
    assert_eq!(installations.get("acme:tool").await.unwrap().manifest.version, "1.0.0");
    let accepted = Consent { accept_gains: true, ..Consent::default() };
    let made = world.try_install(tool("2.0.0", more), 3, accepted).await.unwrap();
    assert_eq!(
        made.plugin.grant.hosts,
        hosts(&["https://stats.example", "https://r.example"]),
        "the slot stays filled"
    );
    assert_eq!(made.diff.from_version.as_deref(), Some("1.0.0"));
    assert_eq!(made.diff.secrets_added, ["TOKEN"]);
}

#[tokio::test]
async fn hosts_that_the_installer_types_are_agreed_to_and_less_power_needs_no_word() {
    let world = world().await;
    let slots = || json!({ "http": { "slots": ["registry"] }, "kv": true });
    world.try_install(tool("1.0.0", slots()), 2, allow(&["https://r.example"])).await.unwrap();
    let moved = world.try_install(tool("1.1.0", slots()), 3, allow(&["https://s.example"])).await.unwrap();
    assert_eq!(moved.plugin.grant.hosts, hosts(&["https://s.example"]));
    assert_eq!((moved.diff.hosts_added.len(), moved.diff.hosts_removed.len()), (1, 1));
    let less = world.try_install(tool("1.2.0", json!({})), 4, Consent::default()).await.unwrap();
    assert_eq!(less.plugin.grant.capabilities, []);
    assert_eq!((less.diff.capabilities_removed.len(), less.diff.gains_power()), (2, false));
}

#[tokio::test]
async fn revealing_a_secret_and_more_memory_are_gains() {
    let world = world().await;
    let used = tool("1.0.0", json!({ "secrets": [{ "name": "TOKEN" }] }));
    world.try_install(used, 2, Consent::default()).await.unwrap();
    let mut reveals = tool("1.1.0", json!({ "secrets": [{ "name": "TOKEN" }], "reveal": ["TOKEN"] }));
    reveals.memory_bytes_max = Some(1 << 30);
    let install =
        Install { manifest: reveals, component: digest(3), consent: Consent::default(), installed_by: ann() };
    let diff: CapabilityDiff = world.catalog.installations(&world.scope).preview(&install).await.unwrap();
    assert_eq!(
        diff.gains(),
        ["capability secrets.reveal", "secret TOKEN (revealed)", "1073741824 bytes of memory"]
    );
    assert_eq!(
        world.catalog.installations(&world.scope).get("acme:tool").await.unwrap().manifest.version,
        "1.0.0"
    );
}

#[tokio::test]
async fn replacing_a_bundled_plugin_does_not_take_over_the_operators_consent() {
    let world = world().await;
    let refusal = findings(world.try_install(http_plugin("2.0.0"), 2, Consent::default()).await);
    assert_eq!(refusal[0].0, "/hosts slot-empty");
    let made = world.try_install(http_plugin("2.0.0"), 2, allow(&["https://a.example"])).await.unwrap();
    assert_eq!(made.plugin.grant.hosts, hosts(&["https://a.example"]));
    assert_eq!(made.diff.hosts_removed, hosts(&["http://127.0.0.1:*"]));
}

#[tokio::test]
async fn a_version_keeps_its_component() {
    let world = world().await;
    world.try_install(tool("1.0.0", json!({})), 2, Consent::default()).await.unwrap();
    world.try_install(tool("1.1.0", json!({})), 3, Consent::default()).await.unwrap();
    let (code, text) = refused(world.try_install(tool("1.0.0", json!({})), 4, Consent::default()).await);
    assert_eq!(code, "version-taken");
    assert!(text.contains("raise the version"), "{text}");
    let back = world.try_install(tool("1.0.0", json!({})), 2, Consent::default()).await.unwrap();
    assert_eq!(back.plugin.manifest.version, "1.0.0");
}

#[tokio::test]
async fn uninstalling_leaves_the_bundled_plugins_alone() {
    let world = world().await;
    let installations = world.catalog.installations(&world.scope);
    assert_eq!(refused(installations.uninstall("quantum:http").await).0, "plugin-bundled");
    let (code, text) = refused(installations.uninstall("acme:tool").await);
    assert_eq!(
        (code, text.as_str()),
        ("not-found", "plugin \"acme:tool\" does not exist; list what is there: quantum plugin list")
    );
    world.try_install(tool("1.0.0", json!({})), 2, Consent::default()).await.unwrap();
    installations.uninstall("acme:tool").await.unwrap();
    assert_eq!(refused(installations.get("acme:tool").await).0, "not-found");
    assert_eq!(world.store.installations(&world.scope).list().await.unwrap(), []);
}

#[tokio::test]
async fn an_install_whose_caller_went_away_shows_as_soon_as_it_is_asked_for() {
    let world = world().await;
    let mut unfinished = 0;
    for round in 1..8 {
        let version = format!("1.{round}.0");
        let install = world.try_install(tool(&version, json!({})), round, Consent::default());
        // While it waits for its write, or for what it reads afterwards.
        unfinished += usize::from(cut_off(install, 1 + round % 2).await);
        // Writes are made in turn, so what was queued before this one is stored now.
        let id = TenantId::new(format!("tenant-{round}")).unwrap();
        world.catalog.tenants().create(Tenant { id, name: String::new(), created_at: at(0) }).await.unwrap();
        let stored = world.store.installations(&world.scope).list().await.unwrap().len();
        let shown = world.catalog.installations(&world.scope).list().await.unwrap();
        let shown = shown.iter().filter(|plugin| plugin.id() == "acme:tool").count();
        assert_eq!(shown, stored, "round {round}");
    }
    assert!(unfinished > 0, "some were dropped before they ended");
}

/// Polls a future some times and drops it. True: it had not ended.
async fn cut_off<T>(future: impl Future<Output = T>, polls: u64) -> bool {
    let mut future = Box::pin(future);
    let mut left = polls;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(false),
        Poll::Pending => {
            left -= 1;
            if left == 0 { Poll::Ready(true) } else { Poll::Pending }
        }
    })
    .await
}
