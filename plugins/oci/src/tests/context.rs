//! Contexts that are no good: each gets its own code, and none is tried again.

use quantum_sdk::testing::Host;
use serde_json::{Value, json};
use tar::EntryType;

use super::tar::{Tar, gzip};
use super::{ending, message};
use crate::build::build_container;

fn build(bytes: impl AsRef<[u8]>) -> Result<Value, quantum_sdk::Failure> {
    build_with(bytes, json!({}))
}

fn build_with(bytes: impl AsRef<[u8]>, config: Value) -> Result<Value, quantum_sdk::Failure> {
    let host = Host::new().artifact("app", None, bytes).config(config);
    host.run::<build_container>(json!({ "image": "myapp:1", "context": "app" }))
}

/// The code for a plain context, and for the same packed with gzip.
fn check(tar: Tar, code: &str) {
    let bytes = tar.end();
    assert_eq!(ending(build(gzip(&bytes))), (code.to_owned(), false), "packed");
    assert_eq!(ending(build(bytes)), (code.to_owned(), false));
}

#[test]
fn a_missing_context_says_how_to_store_one() {
    let parameters = json!({ "image": "myapp:1", "context": "./app" });
    let result = Host::new().run::<build_container>(parameters);
    assert!(message(result.clone()).contains("`quantum artifact put ./app DIR`"));
    assert_eq!(ending(result), ("context-missing".to_owned(), false));
    let unnamed = Host::new().run::<build_container>(json!({ "image": "myapp:1" }));
    assert!(message(unnamed.clone()).contains("`quantum artifact put NAME DIR`"));
    assert_eq!(ending(unnamed), ("context-missing".to_owned(), false));
}

#[test]
fn what_is_no_tar_is_refused_whatever_it_is() {
    let text = "no archive at all, but long enough to have a header of its own. ".repeat(20);
    for bytes in [
        b"".to_vec(),
        b"short".to_vec(),
        text.clone().into_bytes(),
        gzip(b""),
        gzip(text.as_bytes()),
        b"PK\x03\x04and so on".to_vec(),
        b"\x28\xb5\x2f\xfd\x00\x00".to_vec(),
        b"BZh91AY".to_vec(),
        b"\x1f\x8bnot really".to_vec(),
    ] {
        assert_eq!(ending(build(&bytes)), ("context-not-a-tar".to_owned(), false), "{bytes:?}");
    }
    assert!(message(build(b"PK\x03\x04")).contains("is a zip"));
}

#[test]
fn a_damaged_tar_is_refused_wherever_the_damage_is() {
    let whole = Tar::new().file("a", &[7; 2000]).file("b", b"x").end();
    for end in [100, 512, 513, 2000, 2559, 3000] {
        // The archive may end behind a member, with zeros or without; nowhere else.
        let cut = &whole[..end];
        assert_eq!(ending(build(cut)), ("context-not-a-tar".to_owned(), false), "cut at {end}");
    }
    assert!(build(&whole[..2560]).is_ok());
    let mut flipped = whole;
    flipped[0] ^= 1;
    assert!(message(build(flipped)).contains("checksum"));
}

#[test]
fn a_damaged_gzip_is_refused_also_behind_the_last_member() {
    let packed = Tar::new().file("a", b"some text").gzip();
    let mut wrong_sum = packed.clone();
    let at = wrong_sum.len() - 6;
    wrong_sum[at] ^= 1;
    for bytes in [wrong_sum, packed[..packed.len() - 3].to_vec(), packed[..20].to_vec()] {
        let result = build(&bytes);
        assert!(message(result.clone()).contains("damaged gzip"));
        assert_eq!(ending(result), ("context-not-a-tar".to_owned(), false));
    }
}

#[test]
fn numbers_that_are_none_are_refused() {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().size = *b"not a number";
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend([0; 1024]);
    assert_eq!(ending(build(bytes)).0, "context-not-a-tar");
    check(Tar::new().pax(&[("size", "many")]).file("a", b""), "context-not-a-tar");
    check(Tar::new().pax(&[("size", "18446744073709551615")]).file("a", b""), "context-not-a-tar");
    check(Tar::new().pax(&[("size", "1000000")]).file("a", b""), "context-not-a-tar");
    check(Tar::new().entry(EntryType::XHeader, "x", "", b"5 a=\n"), "context-not-a-tar");
    check(Tar::new().pax(&[("path", "a")]), "context-not-a-tar");
}

#[test]
fn headers_that_describe_too_much_are_refused_before_they_are_read() {
    let long = "x".repeat(300 * 1024);
    check(Tar::new().pax(&[("comment", &long)]).file("a", b""), "context-not-a-tar");
    let long = long.into_bytes();
    check(Tar::new().entry(EntryType::GNULongName, "x", "", &long).file("a", b""), "context-not-a-tar");
}

#[test]
fn nothing_leaves_the_context() {
    for tar in [
        Tar::new().file("/etc/passwd", b"x"),
        Tar::new().file("../x", b"x"),
        Tar::new().file("a/../../x", b"x"),
        Tar::new().directory(".."),
        Tar::new().pax(&[("path", "../x")]).file("a", b"x"),
        Tar::new().entry(EntryType::GNULongName, "x", "", b"../x\0").file("a", b"x"),
        Tar::new().symlink("a", "/etc/passwd"),
        Tar::new().symlink("a", "../x"),
        Tar::new().symlink("d/a", "../../x"),
        Tar::new().symlink("b/c", "..").symlink("a", "b/c/.."),
        Tar::new().pax(&[("linkpath", "/etc")]).symlink("a", "x"),
        Tar::new().hard_link("a", "/etc/passwd"),
        Tar::new().hard_link("a", "../x"),
    ] {
        check(tar, "context-escapes");
    }
}

#[test]
fn what_no_image_can_have_is_refused() {
    let kinds =
        [EntryType::Char, EntryType::Block, EntryType::Fifo, EntryType::GNUSparse, EntryType::new(b'D')];
    for kind in kinds {
        check(Tar::new().entry(kind, "dev", "", b""), "context-unsupported-entry");
    }
    check(Tar::new().pax(&[("GNU.sparse.major", "1")]).file("a", b""), "context-unsupported-entry");
    check(Tar::new().file("a/.wh.b", b""), "context-reserved-name");
    check(Tar::new().directory(".wh..wh..opq"), "context-reserved-name");
}

#[test]
fn paths_that_contradict_each_other_are_refused() {
    for tar in [
        Tar::new().file("a", b"").file("a/b", b""),
        Tar::new().file("a/b", b"").symlink("a", "c"),
        Tar::new().hard_link("a", "b"),
        Tar::new().hard_link("a", "a"),
        Tar::new().hard_link("a", "b").hard_link("b", "a"),
        Tar::new().directory("d").hard_link("a", "d"),
        Tar::new().symlink("a", ""),
        Tar::new().file("./", b"x"),
        Tar::new().pax(&[("path", &"n".repeat(300))]).file("a", b""),
    ] {
        check(tar, "context-invalid-path");
    }
    let mut odd = Tar::new().file("a?", b"").end();
    odd[1] = 0xff;
    let sum: u32 = odd[..512]
        .iter()
        .enumerate()
        .map(|(at, b)| if (148..156).contains(&at) { 32 } else { u32::from(*b) })
        .sum();
    odd[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    assert_eq!(ending(build(odd)).0, "context-invalid-path");
}

#[test]
fn a_context_larger_than_configured_is_refused_packed_or_not() {
    let config = json!({ "context_bytes_max": 4096 });
    let fits = Tar::new().file("a", &[0; 2560]).end();
    assert_eq!(fits.len(), 4096);
    assert!(build_with(&fits, config.clone()).is_ok());
    assert!(build_with(gzip(&fits), config.clone()).is_ok());
    let large = Tar::new().file("a", &[0; 2561]).end();
    for bytes in [gzip(&large), large] {
        let result = build_with(bytes, config.clone());
        assert!(message(result.clone()).contains("context_bytes_max"));
        assert_eq!(ending(result), ("context-too-large".to_owned(), false));
    }
}

#[test]
fn a_bomb_is_refused_by_its_ratio_and_an_honest_file_is_not() {
    let zeros = vec![0; 17 * 1024 * 1024];
    let bomb = Tar::new().file("zeros", &zeros).gzip();
    assert_eq!(ending(build(&bomb)), ("context-bomb".to_owned(), false));
    assert!(build(Tar::new().file("zeros", &zeros[..1024 * 1024]).gzip()).is_ok());
}

#[test]
fn too_many_entries_are_refused_also_when_no_member_names_them() {
    let deep: Vec<String> = (0..400).map(|n| format!("{n}/{}", "d/".repeat(1000))).collect();
    let tar = deep.iter().fold(Tar::new(), |tar, path| tar.pax(&[("path", path)]).directory("d"));
    let result = build(tar.end());
    assert!(message(result.clone()).contains("leave out"));
    assert_eq!(ending(result), ("context-too-many-entries".to_owned(), false));
}

#[test]
fn a_failed_build_stores_no_image() {
    let host = Host::new().artifact("app", None, Tar::new().file("/x", b"").end());
    host.run::<build_container>(json!({ "image": "myapp:1", "context": "app" })).unwrap_err();
    assert!(host.artifacts().iter().all(|stored| stored.name.is_none()), "{:?}", host.artifacts());
}
