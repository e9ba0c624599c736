//! Building upon a base: it is pulled and checked, and what it says stays where the step says nothing else.

use quantum_sdk::Failure;
use quantum_sdk::testing::{Answer, Host};
use serde_json::{Value, json};
use tar::EntryType;

use super::registry::{artifact, push, script, sent};
use super::tar::{Tar, gunzip, look};
use super::{ending, message, text};
use crate::build::build_container;
use crate::digest::Digest;

const BASE: &str = "azurecr.io/base/os:3";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// A base of one layer that a test can spoil.
struct Base {
    layer: Vec<u8>,
    config: Value,
    manifest: Value,
}

impl Base {
    fn new() -> Self {
        let tar = Tar::new().directory("tmp").symlink("lib", "usr/lib").file("etc/os", b"an os").end();
        let layer = super::tar::gzip(&tar);
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "created": "2024-01-01T00:00:00Z",
            "docker_version": "20",
            "config": {
                "Env": ["PATH=/usr/bin", "LANG=C"],
                "Entrypoint": ["/init"],
                "Cmd": ["--all"],
                "WorkingDir": "/srv",
                "Labels": { "vendor": "os", "team": "base" },
                "StopSignal": "SIGINT",
                "ExposedPorts": { "22/tcp": {} },
            },
            "rootfs": { "type": "layers", "diff_ids": [Digest::of(&tar)] },
            "history": [
                { "created_by": "ADD the os" },
                { "created_by": "CMD --all", "empty_layer": true },
            ],
        });
        let mut base = Self { layer, config, manifest: Value::Null };
        base.describe();
        base
    }

    /// The manifest that fits.
    fn describe(&mut self) {
        let config = self.config.to_string();
        self.manifest = json!({
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "digest": Digest::of(config.as_bytes()),
                "size": config.len(),
            },
            "layers": [{
                "mediaType": DOCKER_LAYER,
                "digest": Digest::of(&self.layer),
                "size": self.layer.len(),
            }],
        });
    }

    fn manifest_answer(&self) -> Answer {
        Answer::bytes(200, self.manifest.to_string())
    }

    fn digest(&self) -> Digest {
        Digest::of(self.manifest.to_string().as_bytes())
    }

    fn blob(digest: &Value) -> String {
        format!("/v2/base/os/blobs/{}", digest.as_str().unwrap_or("none"))
    }

    fn layer_path(&self) -> String {
        Self::blob(&self.manifest["layers"][0]["digest"])
    }

    /// A registry that has all of it.
    fn serve(&self, host: &Host) {
        script(host, "GET", "/v2/base/os/manifests/3", self.manifest_answer());
        self.serve_config(host);
        script(host, "GET", &self.layer_path(), Answer::bytes(200, self.layer.clone()));
    }

    fn serve_config(&self, host: &Host) {
        let path = Self::blob(&self.manifest["config"]["digest"]);
        script(host, "GET", &path, Answer::bytes(200, self.config.to_string()));
    }
}

fn host() -> Host {
    Host::new().artifact("app", None, Tar::new().directory("tmp").file("tmp/a", b"a").file("b", b"b").end())
}

fn build(host: &Host, more: Value) -> Result<Value, Failure> {
    let mut parameters = json!({ "image": "myapp:1.2.3", "context": "app", "base": BASE });
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    host.run::<build_container>(parameters)
}

fn stored(host: &Host, reference: &str) -> Value {
    serde_json::from_slice(&artifact(host, reference)).unwrap()
}

fn config(host: &Host) -> Value {
    stored(host, text(&stored(host, "myapp:1.2.3")["config"]["digest"]))
}

#[test]
fn a_base_gives_its_layers_and_what_the_step_does_not_say() {
    let (base, host) = (Base::new(), host());
    base.serve(&host);
    let more =
        json!({ "env": { "LANG": "de", "A": "1" }, "labels": { "team": "web" }, "exposed_ports": [80] });
    assert_eq!(build(&host, more).unwrap()["layers"], 2);
    let manifest = stored(&host, "myapp:1.2.3");
    assert_eq!(manifest["layers"][0]["digest"], base.manifest["layers"][0]["digest"]);
    assert_eq!(manifest["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    assert_eq!(
        manifest["annotations"],
        json!({
            "org.opencontainers.image.base.digest": base.digest(),
            "org.opencontainers.image.base.name": "azurecr.io/base/os:3",
        })
    );
    let config = config(&host);
    assert_eq!(
        config["config"],
        json!({
            "Env": ["PATH=/usr/bin", "LANG=de", "A=1"],
            "Entrypoint": ["/init"],
            "Cmd": ["--all"],
            "WorkingDir": "/srv",
            "Labels": { "vendor": "os", "team": "web" },
            "StopSignal": "SIGINT",
            "ExposedPorts": { "22/tcp": {}, "80/tcp": {} },
        })
    );
    assert_eq!(config["rootfs"]["diff_ids"][0], base.config["rootfs"]["diff_ids"][0]);
    assert_eq!(config["rootfs"]["diff_ids"].as_array().unwrap().len(), 2);
    assert_eq!(config["history"].as_array().unwrap().len(), 3);
    assert_eq!(config["history"][0], base.config["history"][0]);
    assert_eq!(config.get("docker_version"), None);
}

#[test]
fn a_base_can_be_named_by_its_digest() {
    let (base, host) = (Base::new(), host());
    base.serve(&host);
    script(&host, "GET", &format!("/v2/base/os/manifests/{}", base.digest()), base.manifest_answer());
    build(&host, json!({ "base": format!("{BASE}@{}", base.digest()) })).unwrap();
    let name = &stored(&host, "myapp:1.2.3")["annotations"]["org.opencontainers.image.base.name"];
    assert_eq!(text(name), format!("azurecr.io/base/os@{}", base.digest()));
}

#[test]
fn a_new_entry_point_does_not_get_the_old_ones_arguments() {
    let (base, host) = (Base::new(), host());
    base.serve(&host);
    build(&host, json!({ "entrypoint": ["/app/run"] })).unwrap();
    let run = &config(&host)["config"];
    assert_eq!((&run["Entrypoint"], run.get("Cmd")), (&json!(["/app/run"]), None));
}

#[test]
fn a_history_that_misses_layers_is_filled_up() {
    let mut base = Base::new();
    base.config["history"] = Value::Null;
    base.describe();
    let host = host();
    base.serve(&host);
    build(&host, json!({})).unwrap();
    assert_eq!(config(&host)["history"].as_array().unwrap().len(), 2);
}

#[test]
fn directories_that_a_base_has_stay_as_they_are() {
    let (base, host) = (Base::new(), host());
    base.serve(&host);
    build(&host, json!({ "prefix": "/" })).unwrap();
    let layers = stored(&host, "myapp:1.2.3")["layers"].clone();
    let tar = gunzip(&artifact(&host, text(&layers[1]["digest"])));
    let paths: Vec<_> = look(&tar, 0).into_iter().map(|seen| (seen.path, seen.kind)).collect();
    assert_eq!(paths, [("b".to_owned(), EntryType::Regular), ("tmp/a".to_owned(), EntryType::Regular)]);
}

#[test]
fn a_base_from_the_configuration_is_used_unless_the_step_wants_none() {
    let base = Base::new();
    let host = host().config(json!({ "base": BASE }));
    base.serve(&host);
    let parameters = json!({ "image": "myapp:1.2.3", "context": "app" });
    assert_eq!(host.run::<build_container>(parameters).unwrap()["layers"], 2);
    assert_eq!(build(&host, json!({ "base": "scratch" })).unwrap()["layers"], 1);
}

#[test]
fn a_layer_that_is_stored_is_not_pulled_again() {
    let (base, host) = (Base::new(), host());
    base.serve(&host);
    build(&host, json!({})).unwrap();
    script(&host, "GET", "/v2/base/os/manifests/3", base.manifest_answer());
    base.serve_config(&host);
    build(&host, json!({})).unwrap();
    assert_eq!(sent(&host).len(), 5);
}

/// An index that offers the base for one platform.
fn index(base: &Base, platform: Value) -> Value {
    let entry =
        json!({ "mediaType": DOCKER_MANIFEST, "digest": base.digest(), "size": 1, "platform": platform });
    let attestation = json!({
        "mediaType": OCI_MANIFEST,
        "digest": Digest::of(b"attestation"),
        "size": 1,
        "platform": { "os": "unknown", "architecture": "unknown" },
    });
    json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [attestation, entry] })
}

#[test]
fn of_an_index_the_platforms_manifest_is_taken() {
    let (base, host) = (Base::new(), host());
    let index = index(&base, json!({ "os": "linux", "architecture": "amd64" }));
    script(&host, "GET", "/v2/base/os/manifests/3", Answer::bytes(200, index.to_string()));
    script(&host, "GET", &format!("/v2/base/os/manifests/{}", base.digest()), base.manifest_answer());
    base.serve_config(&host);
    script(&host, "GET", &base.layer_path(), Answer::bytes(200, base.layer.clone()));
    build(&host, json!({})).unwrap();
    let annotations = &stored(&host, "myapp:1.2.3")["annotations"];
    let digest = Digest::of(index.to_string().as_bytes());
    assert_eq!(annotations["org.opencontainers.image.base.digest"], json!(digest));
}

#[test]
fn a_base_for_another_platform_says_what_there_is() {
    let base = Base::new();
    let host_of_index = host();
    let index = index(&base, json!({ "os": "linux", "architecture": "arm64", "variant": "v8" }));
    script(&host_of_index, "GET", "/v2/base/os/manifests/3", Answer::bytes(200, index.to_string()));
    let result = build(&host_of_index, json!({}));
    assert!(message(result.clone()).contains("linux/arm64/v8"));
    assert_eq!(ending(result), ("base-platform-missing".to_owned(), false));

    let single = host();
    base.serve(&single);
    let result = build(&single, json!({ "platform": "linux/s390x" }));
    assert!(message(result.clone()).contains("is for linux/amd64 and not for linux/s390x"));
    assert_eq!(ending(result), ("base-platform-missing".to_owned(), false));
}

/// The ending of a build upon a base that was spoilt.
fn spoilt(spoil: impl Fn(&mut Base)) -> (String, bool) {
    let (mut base, host) = (Base::new(), host());
    spoil(&mut base);
    base.serve(&host);
    ending(build(&host, json!({})))
}

#[test]
fn a_base_that_is_no_image_or_a_broken_one_is_refused() {
    let set = |pointer: &'static str, value: Value| {
        move |base: &mut Base| *base.manifest.pointer_mut(pointer).unwrap() = value.clone()
    };
    let many = |base: &mut Base| {
        let layer = base.manifest["layers"][0].clone();
        base.manifest["layers"] = json!(vec![layer; 128]);
    };
    for (found, code) in [
        (
            spoilt(set("/mediaType", json!("application/vnd.docker.distribution.manifest.v1+json"))),
            "base-unsupported",
        ),
        (spoilt(set("/config/mediaType", json!("application/vnd.wasm.config.v0+json"))), "base-unsupported"),
        (
            spoilt(set(
                "/layers/0/mediaType",
                json!("application/vnd.oci.image.layer.nondistributable.v1.tar"),
            )),
            "base-unsupported",
        ),
        (spoilt(many), "base-unsupported"),
        (spoilt(set("/layers/0/size", json!(2_000_000_000))), "base-too-large"),
        (spoilt(set("/layers", json!("none"))), "base-invalid"),
        (spoilt(set("/layers/0/digest", json!("sha512:00"))), "base-invalid"),
        (spoilt(set("/layers", json!([]))), "base-invalid"),
    ] {
        assert_eq!(found, (code.to_owned(), false));
    }
    let config = |pointer: &'static str, value: Value| {
        move |base: &mut Base| {
            *base.config.pointer_mut(pointer).unwrap() = value.clone();
            base.describe();
        }
    };
    for (pointer, value) in [
        ("/rootfs", json!({})),
        ("/rootfs/diff_ids", json!([])),
        ("/rootfs/diff_ids", json!(["x"])),
        ("/os", json!(1)),
    ] {
        assert_eq!(spoilt(config(pointer, value)), ("base-invalid".to_owned(), false), "{pointer}");
    }
}

#[test]
fn other_bytes_than_the_digest_says_are_refused() {
    for spoil in [
        // One byte less and another one make the same length.
        |base: &mut Base| base.layer[30] ^= 1,
        |base: &mut Base| base.layer.push(0),
        |base: &mut Base| base.config["x"] = json!(1),
    ] {
        assert_eq!(spoilt(spoil), ("registry-digest-mismatch".to_owned(), false));
    }
    let (base, told, pinned) = (Base::new(), host(), host());
    let other = Digest::of(b"other");
    let answer = base.manifest_answer().header("Docker-Content-Digest", other.as_str());
    script(&told, "GET", "/v2/base/os/manifests/3", answer);
    assert_eq!(ending(build(&told, json!({}))), ("registry-digest-mismatch".to_owned(), false));
    script(&pinned, "GET", &format!("/v2/base/os/manifests/{other}"), base.manifest_answer());
    let result = build(&pinned, json!({ "base": format!("azurecr.io/base/os@{other}") }));
    assert_eq!(ending(result), ("registry-digest-mismatch".to_owned(), false));
}

#[test]
fn a_layer_that_breaks_off_is_tried_again() {
    let base = Base::new();
    for (answer, code) in [
        (Answer::bytes(200, base.layer.clone()).breaks_after(20), "http-connection"),
        (Answer::bytes(200, &base.layer[..20]), "registry-truncated"),
    ] {
        let host = host();
        script(&host, "GET", "/v2/base/os/manifests/3", base.manifest_answer());
        base.serve_config(&host);
        script(&host, "GET", &base.layer_path(), answer);
        assert_eq!(ending(build(&host, json!({}))), (code.to_owned(), true));
    }
}

#[test]
fn a_base_that_does_not_exist_says_so() {
    let host = host();
    script(&host, "GET", "/v2/base/os/manifests/3", Answer::status(404));
    let result = build(&host, json!({}));
    assert!(message(result.clone()).contains("the base azurecr.io/base/os:3 does not exist"));
    assert_eq!(ending(result), ("base-missing".to_owned(), false));
}

#[test]
fn a_base_without_a_registry_comes_from_where_everyone_looks() {
    let host = host();
    let url = "https://registry-1.docker.io/v2/library/alpine/manifests/latest";
    host.answer("GET", url, Answer::status(404));
    assert_eq!(ending(build(&host, json!({ "base": "alpine" }))).0, "base-missing");
    let accept = host.requests()[0].header("accept").unwrap().to_owned();
    assert!(accept.contains(OCI_INDEX) && accept.contains(DOCKER_MANIFEST), "{accept}");
}

#[test]
fn a_redirected_layer_is_fetched_without_credentials() {
    let base = Base::new();
    let config = json!({ "registries": { "azurecr.io": { "username": "ci", "auth": "basic" } } });
    let host = host().config(config).secret("REGISTRY_PASSWORD", "x");
    script(&host, "GET", "/v2/base/os/manifests/3", base.manifest_answer());
    base.serve_config(&host);
    let away = Answer::status(307).header("Location", "https://cdn.example/layer?sig=1");
    script(&host, "GET", &base.layer_path(), away);
    host.answer("GET", "https://cdn.example/layer?sig=1", Answer::bytes(200, base.layer.clone()));
    build(&host, json!({})).unwrap();
    let requests = host.requests();
    let [first @ .., last] = requests.as_slice() else { panic!("nothing was sent") };
    assert!(first.iter().all(|request| request.header("authorization").is_some()));
    assert_eq!(last.header("authorization"), None);
}

#[test]
fn redirects_end() {
    let (base, host) = (Base::new(), host());
    for _ in 0..4 {
        let path = "/v2/base/os/manifests/3";
        script(&host, "GET", path, Answer::status(302).header("Location", path));
    }
    script(&host, "GET", "/v2/base/os/manifests/3", base.manifest_answer());
    assert_eq!(ending(build(&host, json!({}))), ("registry-redirect".to_owned(), false));
}

#[test]
fn layers_of_a_base_in_the_same_registry_are_taken_from_there() {
    let (base, host) = (Base::new(), host());
    base.serve(&host);
    build(&host, json!({})).unwrap();
    let before = sent(&host).len();
    let manifest = stored(&host, "myapp:1.2.3");
    let digest = |value: &Value| text(&value["digest"]).to_owned();
    let (os, app, config) =
        (digest(&manifest["layers"][0]), digest(&manifest["layers"][1]), digest(&manifest["config"]));
    let uploads = "/v2/myapp/blobs/uploads/";
    for blob in [&os, &app, &config] {
        script(&host, "HEAD", &format!("/v2/myapp/blobs/{blob}"), Answer::status(404));
    }
    let mount = |blob: &str| format!("{uploads}?mount={blob}&from=base/os");
    script(&host, "POST", &mount(&os), Answer::status(201));
    // The second is not there; the registry opens an upload at once.
    script(&host, "POST", &mount(&app), Answer::status(202).header("Location", "/upload/1"));
    script(&host, "PUT", &format!("/upload/1?digest={app}"), Answer::status(201));
    // The third is refused, and so sent as usual.
    script(&host, "POST", &mount(&config), Answer::status(403));
    script(&host, "POST", uploads, Answer::status(202).header("Location", "/upload/2"));
    script(&host, "PUT", &format!("/upload/2?digest={config}"), Answer::status(201));
    script(&host, "PUT", "/v2/myapp/manifests/1.2.3", Answer::status(201));
    let output = push(&host).unwrap();
    assert_eq!((&output["pushed_blobs"], &output["reused_blobs"]), (&json!(2), &json!(1)));
    assert_eq!(sent(&host).len() - before, 10);
}
