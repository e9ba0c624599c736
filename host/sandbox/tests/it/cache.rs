//! Compiled components on disk: used when this host wrote them, and never otherwise.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use quantum_core::port::{AttemptOutcome, Failure, FailureKind, Grant, StepRunner};
use quantum_sandbox::SandboxOptions;
use serde_json::json;

use crate::guests::{echo, guest};
use crate::world::{World, attempt, digest_of, failure, options};

fn world(dir: &Path, key: u8) -> World {
    World::with(SandboxOptions { cache_dir: Some(dir.to_owned()), cache_key: [key; 32], ..options() })
}

fn files(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Without the component's bytes only the cache can answer.
async fn runs_without_bytes(dir: &Path, key: u8) -> bool {
    let world = world(dir, key);
    let report = world.sandbox.run(attempt(&digest_of(&echo()), Grant::default(), "1")).await;
    if let AttemptOutcome::Failed(failure) = &report.outcome {
        assert_eq!(failure.kind, FailureKind::Unavailable);
        return false;
    }
    assert_eq!(report.outcome, AttemptOutcome::Completed(json!(1)));
    true
}

#[tokio::test]
async fn an_installed_component_is_not_compiled_again() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("compiled");
    world(&cache, 1).sandbox.install(echo()).await.unwrap();
    // A new file comes with each compilation.
    let file = || std::fs::metadata(&files(&cache)[0]).unwrap().ino();
    let first = file();
    world(&cache, 1).sandbox.install(echo()).await.unwrap();
    assert_eq!(file(), first);
    assert_eq!(std::fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(runs_without_bytes(&cache, 1).await);
    assert!(!runs_without_bytes(&cache, 2).await, "another host's key must not verify");
}

#[tokio::test]
async fn an_altered_file_is_never_run_and_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let world_1 = world(dir.path(), 1);
    world_1.sandbox.install(echo()).await.unwrap();
    let [file] = files(dir.path()).try_into().unwrap();
    let good = std::fs::read(&file).unwrap();
    for bad in
        [&good[..10], &good[..good.len() - 1], &[], &[&good[..40], &[good[40] ^ 1], &good[41..]].concat()[..]]
    {
        std::fs::write(&file, bad).unwrap();
        assert!(!runs_without_bytes(dir.path(), 1).await, "{} bytes", bad.len());
    }
    let recompiling = world(dir.path(), 1);
    assert_eq!(recompiling.run(&echo(), "1").await.outcome, AttemptOutcome::Completed(json!(1)));
    assert!(runs_without_bytes(dir.path(), 1).await);
}

#[tokio::test]
async fn a_file_under_another_components_name_is_not_run() {
    let dir = tempfile::tempdir().unwrap();
    let other = guest("", "(call $ok (i32.const 1040) (i32.const 6))");
    world(dir.path(), 1).sandbox.install(other.clone()).await.unwrap();
    let [file] = files(dir.path()).try_into().unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let renamed = name.replace(&hex(&other), &hex(&echo()));
    assert_ne!(renamed, name);
    std::fs::rename(&file, dir.path().join(renamed)).unwrap();
    assert!(!runs_without_bytes(dir.path(), 1).await);
}

#[tokio::test]
async fn a_component_that_is_not_stored_is_unavailable() {
    let world = World::new();
    let digest = digest_of(&echo());
    let failure = failure(world.sandbox.run(attempt(&digest, Grant::default(), "1")).await);
    assert_eq!(
        (failure.kind, failure.problem.code.as_str()),
        (FailureKind::Unavailable, "plugin-unavailable")
    );
    let message = format!(
        "failed to find the component {digest}: it is not stored on this host; install the plugin again"
    );
    assert_eq!(failure.problem.message, message);
    assert!(world.sandbox.prepare(&digest).await.is_err());
    world.store(&echo());
    world.sandbox.prepare(&digest).await.unwrap();
    world.forget(&digest);
    let report = world.sandbox.run(attempt(&digest, Grant::default(), "1")).await;
    assert_eq!(report.outcome, AttemptOutcome::Completed(json!(1)));
}

/// An upgrade of the host can do that to what was installed: each of its executions would compile it in vain.
#[tokio::test]
async fn a_component_that_cannot_be_compiled_is_not_tried_for_each_attempt() {
    let world = World::new();
    let broken = b"no component".to_vec();
    let digest = world.store(&broken);
    let told = |failure: Failure| (failure.kind, failure.problem.message);
    let first = told(failure(world.run(&broken, "1").await));
    assert_eq!(first.0, FailureKind::Unavailable);
    assert!(first.1.starts_with("failed to compile the component: "), "{first:?}");
    world.forget(&digest);
    let again = told(failure(world.sandbox.run(attempt(&digest, Grant::default(), "1")).await));
    assert_eq!(again, first, "its bytes were asked for again");
    world.sandbox.install(broken).await.unwrap_err();
    world.is_well().await;
}

/// Each attempt of a component that takes longer than a step may would begin anew.
#[tokio::test]
async fn a_component_whose_attempt_ended_is_looked_for_to_the_end() {
    let world = World::new();
    let digest = world.store(&echo());
    let mut first = attempt(&digest, Grant::default(), "1");
    first.timeout_ms = 1;
    let slow = world.stored.slow.clone().lock_owned().await;
    let outcome = failure(world.sandbox.run(first).await);
    assert_eq!(outcome.kind, FailureKind::Timeout);
    world.forget(&digest);
    drop(slow);
    let report = world.sandbox.run(attempt(&digest, Grant::default(), "1")).await;
    assert_eq!(report.outcome, AttemptOutcome::Completed(json!(1)));
}

#[tokio::test]
async fn stored_bytes_with_another_digest_are_refused() {
    let world = World::new();
    let digest = digest_of(&echo());
    world.replace(&digest, &guest("", "(call $ok (i32.const 1040) (i32.const 6))"));
    let failure = failure(world.sandbox.run(attempt(&digest, Grant::default(), "1")).await);
    assert!(failure.problem.message.contains("its stored bytes have another digest"), "{failure:?}");
}

#[tokio::test]
async fn the_component_unused_longest_makes_place() {
    let world = World::with(SandboxOptions { components_max: 1, ..options() });
    let other = guest("", "(call $ok (i32.const 1040) (i32.const 6))");
    for _ in 0..2 {
        assert_eq!(world.run(&echo(), "1").await.outcome, AttemptOutcome::Completed(json!(1)));
        assert_eq!(world.run(&other, "1").await.outcome, AttemptOutcome::Completed(json!("done")));
    }
    world.forget(&digest_of(&echo()));
    let gone = world.sandbox.run(attempt(&digest_of(&echo()), Grant::default(), "1")).await;
    assert_eq!(failure(gone).kind, FailureKind::Unavailable);
}

/// The digests of what is on the disk.
fn kept(dir: &Path) -> Vec<String> {
    let name =
        |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().split('-').next().unwrap().to_owned();
    let mut kept: Vec<String> = files(dir).iter().map(name).collect();
    kept.sort();
    kept
}

fn hex(bytes: &[u8]) -> String {
    digest_of(bytes).as_str().trim_start_matches("sha256:").to_owned()
}

#[tokio::test]
async fn the_file_unused_longest_makes_place() {
    let dir = tempfile::tempdir().unwrap();
    let says = |text: i32| guest("", &format!("(call $ok (call $digits (i32.const {text})) (i32.const 3))"));
    let [first, second, third] = [says(101), says(102), says(103)];
    let host = |bytes_max: u64| {
        let cache_dir = Some(dir.path().to_owned());
        World::with(SandboxOptions { cache_dir, cache_bytes_max: bytes_max, ..options() })
    };
    for component in [&first, &second] {
        host(u64::MAX).sandbox.install(component.clone()).await.unwrap();
    }
    let bytes: u64 = files(dir.path()).iter().map(|file| std::fs::metadata(file).unwrap().len()).sum();
    // Each host finds it on the disk, since none has it in memory.
    host(u64::MAX).sandbox.install(first.clone()).await.unwrap();
    host(bytes).sandbox.install(third.clone()).await.unwrap();
    let mut expected = [hex(&first), hex(&third)];
    expected.sort();
    assert_eq!(kept(dir.path()), expected);

    // What is in the memory of the host that makes place counts as used, however old its file is.
    let old = |component: &[u8], at: Duration| {
        let file =
            files(dir.path()).into_iter().find(|file| file.to_str().unwrap().contains(&hex(component)));
        let file = std::fs::File::options().append(true).open(file.unwrap()).unwrap();
        file.set_modified(UNIX_EPOCH + at).unwrap();
    };
    let world = host(bytes);
    world.sandbox.install(first.clone()).await.unwrap();
    old(&first, Duration::from_secs(1));
    old(&third, Duration::from_secs(2));
    world.sandbox.install(second.clone()).await.unwrap();
    let mut expected = [hex(&first), hex(&second)];
    expected.sort();
    assert_eq!(kept(dir.path()), expected);

    // A host with less room begins by making it.
    drop(host(0));
    assert_eq!(kept(dir.path()), Vec::<String>::new());
}

#[tokio::test]
async fn what_other_compilers_and_crashes_left_is_removed_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    world(dir.path(), 1).sandbox.install(echo()).await.unwrap();
    let ours = files(dir.path());
    let [file] = ours.clone().try_into().unwrap();
    for other in ["ab-0000000000000000.cwasm", "ab-0000000000000000.7.new"] {
        std::fs::copy(&file, dir.path().join(other)).unwrap();
    }
    std::fs::write(dir.path().join("cache.key"), "somebody else's").unwrap();
    drop(world(dir.path(), 1));
    let mut left = files(dir.path());
    left.retain(|file| !file.ends_with("cache.key"));
    assert_eq!(left, ours);
    assert!(dir.path().join("cache.key").exists());
}
