//! What a build stores: layers, configuration and manifest field by field, and the same for the same files.

use quantum_sdk::Failure;
use quantum_sdk::testing::{Host, StoredArtifact};
use serde_json::{Value, json};
use tar::EntryType;

use super::tar::{Seen, Tar, gunzip, gzip, look};
use super::{ending, text};
use crate::build::build_container;
use crate::digest::Digest;

/// Of RFC 3339, for 1 000 000 000 seconds.
const BILLION: &str = "2001-09-09T01:46:40Z";

fn context() -> Tar {
    Tar::new().directory("bin").executable("bin/run", b"#!/bin/sh\n").file("readme", b"hello")
}

fn built(bytes: impl AsRef<[u8]>, more: Value) -> (Host, Value) {
    let host = Host::new().artifact("./app", None, bytes);
    let mut parameters = json!({ "image": "myapp:1.2.3", "context": "./app" });
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let output = host.run::<build_container>(parameters).unwrap();
    (host, output)
}

fn stored(host: &Host, reference: &str) -> StoredArtifact {
    let all = host.artifacts();
    let found = all.iter().find(|a| a.info.digest == reference || a.name.as_deref() == Some(reference));
    found.unwrap_or_else(|| panic!("{reference} is not stored")).clone()
}

fn read(host: &Host, reference: &str) -> Value {
    serde_json::from_slice(&stored(host, reference).bytes).unwrap()
}

/// The tar of the last layer.
fn layer(host: &Host) -> Vec<u8> {
    let manifest = read(host, "myapp:1.2.3");
    let digest = text(&manifest["layers"].as_array().unwrap().last().unwrap()["digest"]).to_owned();
    gunzip(&stored(host, &digest).bytes)
}

fn seen(path: &str, kind: EntryType, mode: u32, bytes: &[u8]) -> Seen {
    Seen { path: path.to_owned(), kind, mode, target: None, bytes: bytes.to_vec() }
}

fn link(path: &str, kind: EntryType, target: &str) -> Seen {
    Seen { target: Some(target.to_owned()), ..seen(path, kind, 0o777, b"") }
}

#[test]
fn the_manifest_is_as_the_specification_has_it() {
    let (host, output) = built(context().end(), json!({}));
    let manifest = stored(&host, "myapp:1.2.3");
    assert_eq!(manifest.info.media_type.as_deref(), Some("application/vnd.oci.image.manifest.v1+json"));
    let digest = Digest::of(&manifest.bytes);
    let read = read(&host, "myapp:1.2.3");
    let (config, layer) = (&read["config"], &read["layers"][0]);
    assert_eq!(
        read,
        json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": config["digest"],
                "size": config["size"],
            },
            "layers": [{
                "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                "digest": layer["digest"],
                "size": layer["size"],
            }],
        })
    );
    let mut size = manifest.bytes.len();
    for blob in [config, layer] {
        let stored = stored(&host, text(&blob["digest"]));
        assert_eq!(blob["size"], stored.bytes.len());
        assert_eq!(stored.info.media_type.as_deref(), blob["mediaType"].as_str());
        size += stored.bytes.len();
    }
    assert_eq!(
        output,
        json!({
            "image": "myapp:1.2.3",
            "reference": format!("myapp@{digest}"),
            "digest": digest,
            "size": size,
            "layers": 1,
        })
    );
}

#[test]
fn the_configuration_is_as_the_specification_has_it() {
    let more = json!({
        "entrypoint": ["/srv/site/bin/run"],
        "cmd": ["--fast"],
        "env": { "PATH": "/bin", "A": "1=2" },
        "workdir": "/data",
        "user": "1000:1000",
        "labels": { "team": "web" },
        "exposed_ports": [8080, "53/udp", "443"],
        "platform": "linux/arm/v7",
        "prefix": "/srv/site",
        "source_date_epoch": 1_000_000_000,
    });
    let (host, _) = built(context().end(), more);
    let config = read(&host, text(&read(&host, "myapp:1.2.3")["config"]["digest"]));
    let created_by = "COPY . # quantum:oci build-container";
    assert_eq!(
        config,
        json!({
            "created": BILLION,
            "architecture": "arm",
            "os": "linux",
            "variant": "v7",
            "config": {
                "Entrypoint": ["/srv/site/bin/run"],
                "Cmd": ["--fast"],
                "WorkingDir": "/data",
                "User": "1000:1000",
                "Env": ["A=1=2", "PATH=/bin"],
                "Labels": { "team": "web" },
                "ExposedPorts": { "8080/tcp": {}, "53/udp": {}, "443/tcp": {} },
            },
            "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer(&host))] },
            "history": [{ "created": BILLION, "created_by": created_by }],
        })
    );
    let paths: Vec<String> = look(&layer(&host), 1_000_000_000).into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths[..3], ["srv/", "srv/site/", "srv/site/bin/"]);
}

#[test]
fn without_parameters_the_configuration_says_little() {
    let (host, _) = built(context().end(), json!({}));
    let config = read(&host, text(&read(&host, "myapp:1.2.3")["config"]["digest"]));
    assert_eq!(config["config"], json!({ "WorkingDir": "/app" }));
    assert_eq!(config["created"], "1970-01-01T00:00:00Z");
    assert_eq!((&config["os"], &config["architecture"]), (&json!("linux"), &json!("amd64")));
}

#[test]
fn a_layer_has_the_files_in_order_with_their_permissions_and_nothing_else() {
    let long = format!("{}/{}", "d".repeat(90), "f".repeat(90));
    let tar = Tar::new()
        .hard_link("z-link", "./z")
        .hard_link("another", "z-link")
        .file("z", b"zz")
        .symlink("current", "releases/1")
        .executable("releases/1/run", b"run")
        .entry(EntryType::GNULongName, "x", "", format!("{long}\0").as_bytes())
        .file("x", b"long")
        .pax(&[("path", "grün")])
        .file("x", b"not ascii")
        .file("z", b"zzz")
        .pax(&[("linkpath", &long)])
        .symlink("far", "x");
    let (host, _) = built(tar.end(), json!({}));
    let record = "18 path=app/gr\u{fc}n\n".as_bytes();
    assert!(
        layer(&host).windows(record.len()).any(|bytes| bytes == record),
        "only pax says that a name is UTF-8"
    );
    let directory = |path: &str| seen(path, EntryType::Directory, 0o755, b"");
    assert_eq!(
        look(&layer(&host), 0),
        [
            directory("app/"),
            link("app/current", EntryType::Symlink, "releases/1"),
            directory(&format!("app/{}/", "d".repeat(90))),
            seen(&format!("app/{long}"), EntryType::Regular, 0o644, b"long"),
            link("app/far", EntryType::Symlink, &long),
            seen("app/grün", EntryType::Regular, 0o644, b"not ascii"),
            directory("app/releases/"),
            directory("app/releases/1/"),
            seen("app/releases/1/run", EntryType::Regular, 0o755, b"run"),
            seen("app/z", EntryType::Regular, 0o644, b"zzz"),
            Seen { mode: 0o644, ..link("app/another", EntryType::Link, "app/z") },
            Seen { mode: 0o644, ..link("app/z-link", EntryType::Link, "app/z") },
        ]
    );
}

#[test]
fn tars_of_old_and_of_other_programs_are_read() {
    let mut old = tar::Header::new_old();
    old.as_old_mut().name[..5].copy_from_slice(b"logs/");
    old.set_mode(0o700);
    old.set_size(0);
    old.set_mtime(9);
    old.set_cksum();
    let comment = EntryType::XGlobalHeader;
    let tar = Tar::new()
        .entry(comment, "pax_global_header", "", b"52 comment=0123456789012345678901234567890123456789\n")
        .entry(EntryType::Continuous, "log", "", b"x")
        .entry(EntryType::GNULongLink, "x", "", format!("{}\0", "t".repeat(120)).as_bytes())
        .symlink("far", "x")
        .end();
    let bytes = [old.as_bytes().as_slice(), &tar].concat();
    let (host, _) = built(bytes, json!({ "prefix": "/" }));
    assert_eq!(
        look(&layer(&host), 0),
        [
            link("far", EntryType::Symlink, &"t".repeat(120)),
            seen("log", EntryType::Regular, 0o644, b"x"),
            seen("logs/", EntryType::Directory, 0o700, b""),
        ]
    );
}

#[test]
fn large_files_arrive_whole_wherever_they_lie() {
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let tar = Tar::new().file("b", &large).file("a", b"small").file("c", &large[..700_000]);
    for bytes in
        [tar.gzip(), Tar::new().file("c", &large[..700_000]).file("b", &large).file("a", b"small").end()]
    {
        let (host, _) = built(bytes, json!({}));
        let files: Vec<_> = look(&layer(&host), 0).into_iter().skip(1).collect();
        assert_eq!(files[0].bytes, b"small");
        assert!(files[1].bytes == large && files[2].bytes == large[..700_000]);
    }
}

#[test]
fn the_same_files_give_the_same_digest() {
    let digest = |bytes: Vec<u8>| built(bytes, json!({})).1["digest"].clone();
    let expected = digest(context().end());
    for same in [
        context().gzip(),
        Tar::new().file("readme", b"hello").executable("bin/run", b"#!/bin/sh\n").end(),
        Tar::new()
            .directory("./")
            .directory("./bin/")
            .executable("./bin/run", b"#!/bin/sh\n")
            .file("./readme", b"hello")
            .end(),
        context().file("readme", b"old").noisy_file("readme", b"hello").end(),
        context().pax(&[("mtime", "1.5"), ("comment", "x")]).noisy_file("readme", b"hello").end(),
        [gzip(&context().end()[..1000]), gzip(&context().end()[1000..])].concat(),
    ] {
        assert_eq!(digest(same), expected);
    }
    for other in [
        context().file("readme", b"hallo").end(),
        context().executable("readme", b"hello").end(),
        context().file("more", b"").end(),
    ] {
        assert_ne!(digest(other), expected);
    }
}

#[test]
fn an_image_without_a_tag_is_found_by_both_names() {
    let host = Host::new().artifact("app", None, context().end()).config(json!({ "context": "app" }));
    let output = host.run::<build_container>(json!({ "image": "team/myapp" })).unwrap();
    assert_eq!(output["image"], "team/myapp:latest");
    assert!(text(&output["reference"]).starts_with("team/myapp@sha256:"));
    assert_eq!(stored(&host, "team/myapp").bytes, stored(&host, "team/myapp:latest").bytes);
}

#[test]
fn an_empty_context_makes_an_empty_directory() {
    let (host, _) = built(Tar::new().end(), json!({}));
    assert_eq!(look(&layer(&host), 0), [seen("app/", EntryType::Directory, 0o755, b"")]);
    let (host, _) = built(Tar::new().end(), json!({ "prefix": "/" }));
    assert_eq!(look(&layer(&host), 0), []);
}

#[test]
fn a_dockerfile_is_not_read_and_a_warning_says_so() {
    let (host, _) = built(context().file("Dockerfile", b"RUN reboot").end(), json!({}));
    let warned = host.logs().into_iter().any(|line| line.message.contains("Dockerfile, which is not read"));
    assert!(warned, "{:?}", host.logs());
}

#[test]
fn parameters_that_make_no_image_are_refused_before_anything_is_read() {
    let digest = format!("sha256:{}", "0".repeat(64));
    for (more, code) in [
        (json!({ "image": "My App" }), "image-invalid"),
        (json!({ "image": format!("myapp@{digest}") }), "image-invalid"),
        (json!({ "image": digest }), "image-invalid"),
        (json!({ "base": "https://a.example/b" }), "image-invalid"),
        (json!({ "platform": "amd64" }), "platform-invalid"),
        (json!({ "prefix": "app" }), "prefix-invalid"),
        (json!({ "prefix": "/app/../.." }), "prefix-invalid"),
        (json!({ "workdir": "app" }), "workdir-invalid"),
        (json!({ "env": { "A=B": "1" } }), "env-invalid"),
        (json!({ "exposed_ports": [0] }), "port-invalid"),
        (json!({ "exposed_ports": ["80/http"] }), "port-invalid"),
        (json!({ "exposed_ports": [70_000] }), "invalid-parameters"),
        (json!({ "dockerfile": "x" }), "invalid-parameters"),
    ] {
        let mut parameters = json!({ "image": "myapp:1", "context": "nothing" });
        parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let result = Host::new().run::<build_container>(parameters);
        assert_eq!(ending(result), (code.to_owned(), false), "{more}");
    }
}

#[test]
fn a_cancelled_build_stops() {
    let host = Host::new().artifact("app", None, context().end()).cancel_in(0);
    let result = host.run::<build_container>(json!({ "image": "myapp:1", "context": "app" }));
    assert_eq!(result, Err(Failure::Cancelled));
}
