//! Components are compiled in limited processes of their own: what takes too long or too much is refused while the
//! neighbours' steps run, nobody leaves a compiler behind, and compiled code on the disk is run only as this host wrote it.

use std::fs;
use std::path::{Path, PathBuf};

use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;

use crate::client::{Client, send};
use crate::guests::{done, guest, manifest, pack};
use crate::home::{Home, Host, TENANT, poll_again};

/// Looks for a process until a test counts as failed: a minute, for a busy machine.
const POLLS_MAX: u32 = 12_000;

/// A host with a tenant, an administrator, and an intent that always works.
fn start(home: &Home) -> (Host, Client) {
    let host = home.start();
    home.create_tenant(&host, TENANT);
    let client = home.admin(&host);
    (host, client)
}

async fn well(client: &Client) -> String {
    client.intent("well", json!({ "steps": [{ "action": "hello", "name": "Ada" }] })).await
}

async fn is_well(client: &Client, intent: &str) {
    let execution = client.run(intent, &json!({})).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");
}

/// One function that keeps many values alive over many loops: the compiler's work grows with their product.
fn wide(values: usize, loops: usize) -> Vec<u8> {
    let locals = "(local i64)".repeat(values);
    let change = |at: usize| {
        let (to, one, other) = (at % values, (at * 7 + 1) % values, (at * 13 + 5) % values);
        // Behind the four parameters.
        let [to, one, other] = [to, one, other].map(|local| local + 4);
        format!(
            "(loop (local.set {to} (i64.mul (local.get {one}) (local.get {other}))) (br_if 0 (i32.wrap_i64 (local.get {to}))))"
        )
    };
    let body: String = (0..loops).map(change).collect();
    guest("", &format!("{locals} {body} (unreachable)"))
}

/// Loops in loops, as deep as they are many.
fn deep(levels: usize) -> Vec<u8> {
    let body = format!("{}(br_if 0 (local.get 0)){}", "(loop ".repeat(levels), ")".repeat(levels));
    guest("", &format!("{body} (unreachable)"))
}

/// A jump table with a target of its own for each entry, again and again.
fn jumps(tables: usize) -> Vec<u8> {
    let targets: String = (0..64).map(|target| format!(" {target}")).collect();
    let table = format!("{}(br_table{targets} (local.get 0)){}", "(block ".repeat(64), ")".repeat(64));
    guest("", &format!("{} (unreachable)", table.repeat(tables)))
}

/// Processes that this one has started and not waited for.
fn children(host: &Host) -> Vec<PathBuf> {
    let tasks = fs::read_dir(format!("/proc/{}/task", host.id())).unwrap();
    let lists =
        tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default());
    let ids: Vec<String> =
        lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    ids.iter().map(|id| Path::new("/proc").join(id)).collect()
}

/// A process that has ended and was not waited for runs no more.
fn runs(process: &Path) -> bool {
    let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
    stat.rsplit(") ").next().and_then(|rest| rest.chars().next()).is_some_and(|state| state != 'Z')
}

fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    for _ in 0..POLLS_MAX {
        match look() {
            Some(found) => return found,
            None => poll_again(),
        }
    }
    panic!("it never came to that: {what}");
}

/// The compiler that works for this host now.
fn compiler(host: &Host) -> PathBuf {
    until("a compiler runs", || children(host).into_iter().find(|process| runs(process)))
}

async fn refused_meanwhile(config: &str, name: &str, component: Vec<u8>, code: &str, text: &str) {
    // The bundled plugin is compiled without these bounds: it is not what they are for.
    let home = Home::new("");
    home.start().stop();
    home.configure(config);
    let (host, client) = start(&home);
    let intent = well(&client).await;
    let uploading = client.clone();
    let packed = pack(&component, &manifest(name));
    let uploaded = tokio::spawn(async move { uploading.upload("", packed).await });
    let (mut process, mut ran) = (None, 0);
    while !uploaded.is_finished() {
        process = process.or_else(|| children(&host).into_iter().find(|process| runs(process)));
        is_well(&client, &intent).await;
        ran += 1;
    }
    assert!(ran > 1, "the neighbour's steps waited");
    let answer = uploaded.await.unwrap();
    assert_eq!(answer.problem(), (422, code.to_owned(), text.to_owned()));
    assert!(answer.json()["hint"].as_str().unwrap().contains("sandbox.compile_"), "{}", answer.text);
    let process = process.expect("it was compiled in a process of its own");
    until("the compiler ends", || (!runs(&process)).then_some(()));
    // Nothing of it stayed, and the next one is compiled.
    client.upload("", pack(&done(), &manifest(name))).await.is(201);
    is_well(&client, &intent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_takes_long_to_compile_is_refused_while_others_run() {
    let text = "compile the component: it takes more than 1000 ms of processor time, or than 60000 ms in all";
    let config = "[sandbox]\ncompile_cpu_ms_max = 1000\ncompile_ms_max = 60000";
    refused_meanwhile(config, "slow", wide(900, 9_000), "compile-timeout", text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_outlasts_the_clock_is_ended_with_its_process() {
    let text =
        "compile the component: it takes more than 120000 ms of processor time, or than 10000 ms in all";
    let config = "[sandbox]\ncompile_ms_max = 10000";
    refused_meanwhile(config, "late", wide(900, 9_000), "compile-timeout", text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_takes_much_memory_to_compile_is_refused_while_others_run() {
    let text = "compile the component: it takes more than 268435456 bytes of memory";
    let config = "[sandbox]\ncompile_memory_bytes_max = 268435456";
    refused_meanwhile(config, "fat", wide(900, 9_000), "compile-memory", text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_shape_it_has_it_is_compiled_or_refused_and_the_host_goes_on() {
    let home = Home::new("[sandbox]\ncompile_cpu_ms_max = 4000\ncompile_ms_max = 30000");
    let (_host, client) = start(&home);
    let intent = well(&client).await;
    let shapes = [("deep", deep(20_000)), ("jumps", jumps(2_000)), ("wide", wide(2_000, 400))];
    for (name, component) in shapes {
        let answer = client.upload("", pack(&component, &manifest(name))).await;
        if answer.status != 201 {
            let (status, code, detail) = answer.problem();
            let known = ["invalid-plugin", "compile-timeout", "compile-memory", "compiler-crashed"];
            assert!(status == 422 && known.contains(&code.as_str()), "{name}: {status} {code} {detail}");
        }
        is_well(&client, &intent).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_takes_the_compiler_along() {
    let home = Home::new("");
    let (host, client) = start(&home);
    let intent = well(&client).await;
    let request = client.request(Method::POST, "/api/v1/installations");
    let request = request.header("Content-Type", "application/wasm");
    let request = request.body(pack(&wide(900, 30_000), &manifest("left")));
    let uploading = tokio::spawn(send(request));
    let process = compiler(&host);
    uploading.abort();
    until("the compiler ends", || (!runs(&process)).then_some(()));
    is_well(&client, &intent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_killed_leaves_no_compiler_behind() {
    let home = Home::new("");
    let (host, client) = start(&home);
    let uploading = tokio::spawn(async move {
        client
            .request(Method::POST, "/api/v1/installations")
            .header("Content-Type", "application/wasm")
            .body(pack(&wide(900, 30_000), &manifest("orphan")))
            .send()
            .await
    });
    let process = compiler(&host);
    host.signal(Signal::KILL);
    until("the compiler ends", || (!runs(&process)).then_some(()));
    assert!(uploading.await.unwrap().is_err());
}

/// The one file that a host of this folder has compiled.
fn compiled(home: &Home) -> PathBuf {
    let files: Vec<PathBuf> =
        fs::read_dir(home.data().join("compiled")).unwrap().map(|file| file.unwrap().path()).collect();
    let [file] = files.try_into().unwrap();
    file
}

/// Alters what the first host has compiled. The second one must not run it, must say so, and must make it anew.
async fn is_made_anew(alter: impl FnOnce(&[u8]) -> Vec<u8>) {
    let home = Home::new("");
    let (host, client) = start(&home);
    let intent = well(&client).await;
    is_well(&client, &intent).await;
    host.stop();
    let file = compiled(&home);
    let good = fs::read(&file).unwrap();
    let bad = alter(&good);
    assert_ne!(bad, good);
    fs::write(&file, bad).unwrap();
    let told = "a compiled component is not used and is made anew: its MAC is wrong";
    assert!(!home.log().contains(told), "{}", home.log());

    let host = home.start();
    is_well(&client.at(&host.url), &intent).await;
    host.stop();
    let log = home.log();
    let line = log.lines().find(|line| line.contains(told)).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("WARN") && line.contains(file.file_name().unwrap().to_str().unwrap()), "{line}");
    assert!(fs::read(compiled(&home)).unwrap() == good, "it was not made anew");

    // The third one has nothing to say about it.
    home.start().stop();
    assert_eq!(home.log().matches(told).count(), 1);
}

#[tokio::test]
async fn compiled_code_with_one_bit_changed_is_made_anew() {
    is_made_anew(|good| {
        let mut bad = good.to_vec();
        bad[good.len() / 2] ^= 1;
        bad
    })
    .await;
}

#[tokio::test]
async fn compiled_code_that_was_cut_is_made_anew() {
    is_made_anew(|good| good[..good.len() - 1].to_vec()).await;
}

#[tokio::test]
async fn a_file_without_a_whole_mac_is_made_anew() {
    is_made_anew(|good| good[..10].to_vec()).await;
}

#[tokio::test]
async fn compiled_code_of_another_host_is_made_anew() {
    // The same component and the same compiler; only the key differs.
    let other = Home::new("");
    other.start().stop();
    let foreign = fs::read(compiled(&other)).unwrap();
    is_made_anew(|good| {
        assert!(foreign[32..] == good[32..], "only the MAC differs");
        foreign
    })
    .await;
}

/// The second host finds the plugin installed and not compiled, as an upgrade finds it.
async fn left_uncompiled(home: &Home) -> PathBuf {
    let (host, client) = start(home);
    let bundled = compiled(home);
    client.upload("", pack(&done(), &manifest("early"))).await.is(201);
    host.stop();
    let files = fs::read_dir(home.data().join("compiled")).unwrap().map(|file| file.unwrap().path());
    let [own] = files.filter(|file| *file != bundled).collect::<Vec<_>>().try_into().unwrap();
    fs::remove_file(&own).unwrap();
    own
}

#[tokio::test]
async fn what_is_installed_is_compiled_before_a_step_asks_for_it() {
    let home = Home::new("");
    let file = left_uncompiled(&home).await;
    let _host = home.start();
    until("it is compiled", || file.exists().then_some(()));
}

#[tokio::test]
async fn an_installed_plugin_that_cannot_be_compiled_any_more_is_told_at_the_start() {
    let home = Home::new("");
    let file = left_uncompiled(&home).await;
    home.configure("[sandbox]\ncomponent_bytes_max = 1024");
    let host = home.start();
    let told = || home.log().lines().find(|line| line.contains("cannot be run")).map(str::to_owned);
    let line = until("the host tells it", told);
    assert!(line.contains("WARN") && line.contains("test:early") && line.contains(TENANT), "{line}");
    assert!(line.contains(": failed to take in a component of "), "{line}");
    assert!(!file.exists());
    host.stop();
}

#[test]
fn a_bound_that_cannot_be_is_told_at_the_start() {
    let home = Home::new("[sandbox]\ncompiles_max = 0");
    let refused = home.start_fails().fails(1);
    assert_eq!(refused, "error: use sandbox.compiles_max: 0 is not from 1 to 64\n");
}

#[tokio::test]
async fn a_component_may_have_as_many_bytes_as_the_operator_says() {
    let packed = pack(&done(), &manifest("sized"));
    let home = Home::new(&format!("[sandbox]\ncomponent_bytes_max = {}", packed.len().max(1_024)));
    let home_bytes = packed.len().max(1_024);
    // The bundled plugin is bounded too: without it, so that only the upload is.
    fs::remove_file(home.path("plugins").join("hello.wasm")).unwrap();
    let (_host, client) = start(&home);
    client.upload("", packed.clone()).await.is(201);
    let answer = client.upload("", vec![0; home_bytes + 1]).await;
    let told = format!("the body may have {home_bytes} bytes on this route");
    assert_eq!(answer.problem(), (413, "body-too-large".into(), told));
}

#[test]
fn the_command_that_compiles_is_the_hosts_own() {
    let home = Home::new("");
    let help = home.run(None, &["--help"]).ok();
    assert!(!help.contains("compile-component"), "{help}");
    let refused = home.run(None, &["compile-component"]).fails(42);
    assert_eq!(refused, "compile-component is started by a host, which compiles plugins with it");
}
