//! Each denial names a line, and the line works: what it says is done, and the same request goes through.

use std::sync::Arc;

use quantum_core::manifest::{HostPattern, SecretPlace::Header};
use quantum_core::port::{Grant, StepRunner};
use quantum_core::vocabulary::{AddressClass, Trust};
use quantum_sandbox::{EgressOptions, SandboxOptions};
use serde_json::Value;

use crate::recorder::Recorder;
use crate::script::{everything, script, told};
use crate::world::{World, attempt, entry, failure, options};

/// A request with this method and path, as a plugin of this trust.
async fn ask(
    world: &World,
    server: &Recorder,
    grant: Grant,
    trust: Trust,
) -> Result<String, (String, Value)> {
    let lines = [&server.authority(), "MPOST", "+/v2/x", "Q", ">", "+\"", "<", "+\""].join("\n");
    let digest = world.store(&script());
    let mut attempt = attempt(&digest, grant.clone(), &lines);
    attempt.subject.action = Arc::new(entry(&digest, grant, trust));
    let report = world.sandbox.run(attempt).await;
    if told(&report).starts_with('"') {
        return Ok(told(&report));
    }
    let problem = failure(report).problem;
    Err((problem.message, problem.details.unwrap()))
}

/// The hosts that a line says: flags of a command, or a list in JSON or TOML.
fn hosts_of(line: &str) -> Vec<String> {
    if let Some(list) = line.find('[') {
        let end = line.rfind(']').unwrap();
        return serde_json::from_str(&line[list..=end]).unwrap();
    }
    let words = shell_words(line);
    let flags =
        words.iter().zip(&words[1..]).filter(|(flag, _)| *flag == "--allow-host" || *flag == "--host");
    flags.map(|(_, host)| host.clone()).collect()
}

/// As a shell splits them.
fn shell_words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    parts
        .flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

#[tokio::test]
async fn the_line_for_a_host_a_method_or_a_path_keeps_what_was_allowed_and_allows_the_request() {
    let (world, server) = (World::new(), Recorder::start().await);
    let url = server.url();
    let cases = [
        (vec!["https://api.example.com".to_owned()], "grant.hosts", url.clone()),
        (vec!["http://127.0.0.1:1".to_owned()], "grant.hosts", url.clone()),
        (vec![format!("GET {url}")], "grant.requests", format!("GET,POST {url}")),
        (vec![format!("GET {url}/v2")], "grant.requests", format!("GET,POST {url}/v2")),
        (vec![format!("{url}/v1")], "grant.requests", format!("POST {url}/v2/x")),
        (vec![format!("GET {url}/v1")], "grant.requests", format!("POST {url}/v2/x")),
        (
            vec!["GET http://127.0.0.1:*".to_owned()],
            "grant.requests",
            "GET,POST http://127.0.0.1:*".to_owned(),
        ),
        (vec!["GET *".to_owned()], "grant.requests", "GET,POST *".to_owned()),
    ];
    for (granted, rule, added) in cases {
        for (trust, slots) in [(Trust::Verified, true), (Trust::Builtin, true), (Trust::Verified, false)] {
            let slots = if slots { vec!["target".to_owned()] } else { vec![] };
            let granting = |hosts: &[String]| Grant {
                slots: slots.clone(),
                ..everything(&hosts.iter().map(String::as_str).collect::<Vec<_>>(), &[])
            };
            let (message, details) = ask(&world, &server, granting(&granted), trust).await.unwrap_err();
            assert_eq!(details["rule"], rule, "{message}");
            let line = details["allow_with"].as_str().unwrap();
            assert!(message.ends_with(&format!("; allow it with: {line}")), "{message}");
            let hosts = hosts_of(line);
            assert_eq!(hosts, [granted.clone(), vec![added.clone()]].concat(), "{line}");
            assert_eq!(ask(&world, &server, granting(&hosts), trust).await.unwrap(), "\"200ok\"");
        }
    }
}

#[tokio::test]
async fn who_can_add_a_host_is_told_how() {
    let (world, server) = (World::new(), Recorder::start().await);
    let line = async |trust, slots: &[&str]| {
        let slots = slots.iter().map(|slot| (*slot).to_owned()).collect();
        let grant = Grant { slots, ..everything(&["https://a.example"], &[]) };
        let (_, details) = ask(&world, &server, grant, trust).await.unwrap_err();
        details["allow_with"].as_str().unwrap().to_owned()
    };
    let url = server.url();
    assert_eq!(
        line(Trust::Verified, &["target"]).await,
        format!("quantum plugin configure test:guest --allow-host https://a.example --allow-host {url}")
    );
    assert_eq!(
        line(Trust::Builtin, &["target"]).await,
        format!("plugins.guest.allow_hosts = [\"https://a.example\",\"{url}\"] in quantum.toml")
    );
    // Without a slot nobody can add a host but the plugin's author.
    let manifest = format!(
        "\"hosts\": [\"https://a.example\",\"{url}\"] under \"capabilities.http\" of the plugin's manifest"
    );
    assert_eq!(line(Trust::Verified, &[]).await, manifest);
    assert_eq!(line(Trust::Builtin, &[]).await, manifest);
}

#[tokio::test]
async fn a_method_and_a_path_are_told_apart_from_a_host() {
    let (world, server) = (World::new(), Recorder::start().await);
    let url = server.url();
    let grant = everything(&[&format!("GET {url}/v1")], &[]);
    let (message, _) = ask(&world, &server, grant, Trust::Verified).await.unwrap_err();
    let told = format!(
        "the request to {url} was denied: the installation allows this host, but not POST /v2/x there: it allows GET \
         {url}/v1; allow it with: "
    );
    assert!(message.starts_with(&told), "{message}");
}

#[tokio::test]
async fn the_ranges_that_are_allowed_already_stand_in_the_line() {
    let denying = |ranges: &[&str]| {
        let allow_cidrs = ranges.iter().map(|range| range.parse().unwrap()).collect();
        let egress = EgressOptions { allow_cidrs, ..Default::default() };
        let world = World::with(SandboxOptions { egress, ..options() });
        *world.gate.decide.lock().unwrap() =
            Box::new(|call| call.address_class == AddressClass::OperatorAllowed);
        world
    };
    let server = Recorder::start().await;
    let grant = || everything(&["*"], &[]);
    let world = denying(&["10.0.0.0/8"]);
    let (_, details) = ask(&world, &server, grant(), Trust::Verified).await.unwrap_err();
    let line = details["allow_with"].as_str().unwrap();
    assert_eq!(line, "egress.allow_cidrs = [\"10.0.0.0/8\",\"127.0.0.0/8\"]");
    let ranges = hosts_of(line);
    let world = denying(&ranges.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ask(&world, &server, grant(), Trust::Verified).await.unwrap(), "\"200ok\"");
}

#[tokio::test]
async fn a_policy_that_refuses_an_allowed_address_is_told_with_its_exception() {
    let egress = EgressOptions { allow_cidrs: vec!["127.0.0.0/8".parse().unwrap()], ..Default::default() };
    let world = World::with(SandboxOptions { egress, ..options() });
    *world.gate.decide.lock().unwrap() = Box::new(|_| false);
    let server = Recorder::start().await;
    let (message, details) =
        ask(&world, &server, everything(&["*"], &[]), Trust::Verified).await.unwrap_err();
    let line = "unless { resource has host && resource.host == \"127.0.0.1\" } at the end of the policy \
                \"team.no-calls\" in policies_dir";
    assert_eq!((&details["rule"], &details["allow_with"]), (&"team.no-calls".into(), &line.into()));
    assert!(
        message.ends_with(&format!("internal addresses are not reached; allow it with: {line}")),
        "{message}"
    );
}

#[tokio::test]
async fn the_line_for_a_secret_keeps_the_hosts_that_it_has() {
    let (world, server) = (World::new(), Recorder::start().await);
    let mut hosts = vec![format!("GET {}", server.url()), "https://a.example".to_owned()];
    let ask = async |hosts: &[String]| {
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        world.secrets.keep("TOKEN", "s3cr3t-value", &hosts);
        let authority = server.authority();
        let lines = ["pTOKEN", "Hx-token", &authority, "MPOST", ">", "+\"", "<", "+\""];
        world.script(everything(&["*"], &[Header]), &lines).await
    };
    let details = failure(ask(&hosts).await).problem.details.unwrap();
    let line = details["allow_with"].as_str().unwrap();
    hosts.push(format!("GET,POST {}", server.url()));
    assert_eq!(hosts_of(line), hosts, "{line}");
    assert!(hosts.iter().all(|host| HostPattern::parse(host).is_ok()));
    assert_eq!(told(&ask(&hosts).await), "\"200ok\"");
}
