//! Names and their addresses: what was decided is what is connected to, and each hop is a decision of its own.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use quantum_core::port::{BoxFuture, Failure, FailureKind, StepRunner};
use quantum_core::vocabulary::AddressClass;
use quantum_sandbox::egress_limits::LOOKUPS_PER_TENANT_MAX;
use quantum_sandbox::{EgressOptions, Resolver, SandboxOptions};
use serde_json::json;
use tokio::sync::watch;

use crate::guests::http;
use crate::script::{everything, told};
use crate::server::{Server, answer};
use crate::world::{World, attempt_of, failure, hosts, options};

/// Names whose addresses the test chooses, lookup by lookup; the last answer stays.
#[derive(Debug)]
pub struct Answers {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
    /// Lookups wait until it says true.
    open: watch::Sender<bool>,
}

impl Answers {
    pub fn new(answers: &[&[&str]]) -> Arc<Self> {
        let addresses = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let answers = Mutex::new(answers.iter().map(addresses).collect());
        Arc::new(Self { answers, asked: Mutex::default(), open: watch::Sender::new(true) })
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Resolver for Answers {
    fn lookup(&self, host: String, _: u16) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.lock().unwrap().push(host);
        let mut answers = self.answers.lock().unwrap();
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        let mut open = self.open.subscribe();
        Box::pin(async move {
            open.wait_for(|open| *open).await.map_err(io::Error::other)?;
            next.ok_or_else(|| io::Error::other("no such name"))
        })
    }
}

/// This machine is allowed by the operator; everything else that is not public is refused.
pub fn world(resolver: &Arc<Answers>) -> World {
    let egress = EgressOptions {
        allow_cidrs: vec!["127.0.0.0/8".parse().unwrap()],
        resolver: resolver.clone(),
        connect_ms_max: 200,
        ..EgressOptions::default()
    };
    let world = World::with(SandboxOptions { egress, ..options() });
    *world.gate.decide.lock().unwrap() =
        Box::new(|call| matches!(call.address_class, AddressClass::Public | AddressClass::OperatorAllowed));
    world
}

#[track_caller]
fn is_metadata(denied: &Failure) {
    assert_eq!((denied.kind, denied.problem.code.as_str()), (FailureKind::Denied, "effect-denied"));
    let details = denied.problem.details.as_ref().unwrap();
    let told = (&details["rule"], &details["address_class"], &details["allow_with"]);
    assert_eq!(told, (&json!("guard.address"), &json!("metadata"), &json!(null)));
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_connected_to_the_one_that_was_decided() {
    let server = Server::start(answer("200 OK", "x")).await;
    let resolver = Answers::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let world = world(&resolver);
    let target = format!("0rebind.example:{}", server.port);
    let first = world.run_granted(&http(), hosts(&["*"]), &target).await;
    assert_eq!(told(&first), "200");
    // Asked once: whoever asked again to connect would have got the other address.
    assert_eq!((resolver.asked(), server.connections()), (1, 1));
    let address = format!("GET rebind.example:{}/x 127.0.0.1 operatorAllowed", server.port);
    assert_eq!(*world.gate.asked.lock().unwrap(), [address]);
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_decided_again_though_a_connection_is_open() {
    let server = Server::start(answer("200 OK", "x")).await;
    let resolver = Answers::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let world = world(&resolver);
    let ask = format!("A0rebind.example:{}", server.port);
    let lines = [ask.as_str(), ">", "<", ask.as_str(), ">", "<"];
    let denied = failure(world.script(everything(&["*"], &[]), &lines).await);
    is_metadata(&denied);
    assert_eq!((resolver.asked(), server.connections(), server.requests()), (2, 1, 1));
    world.is_well().await;
}

#[tokio::test]
async fn of_several_addresses_only_the_allowed_ones_are_connected_to() {
    let server = Server::start(answer("200 OK", "x")).await;
    for addresses in [["10.0.0.7", "127.0.0.1"], ["127.0.0.1", "10.0.0.7"]] {
        let resolver = Answers::new(&[&addresses]);
        let world = world(&resolver);
        let target = format!("0mixed.example:{}", server.port);
        assert_eq!(told(&world.run_granted(&http(), hosts(&["*"]), &target).await), "200");
        assert_eq!(world.gate.asked.lock().unwrap().len(), 2);
    }
    // Nobody listens there any more, and that is no reason to try the other address.
    let resolver = Answers::new(&[&["127.0.0.1", "10.0.0.7"]]);
    let world = world(&resolver);
    let target = format!("0mixed.example:{}", closed_port().await);
    assert_eq!(told(&world.run_granted(&http(), hosts(&["*"]), &target).await), "http: 006");
    assert_eq!(world.gate.asked.lock().unwrap().len(), 2);
}

async fn closed_port() -> u16 {
    Server::start(Vec::new()).await.port
}

#[tokio::test]
async fn a_redirect_that_the_guest_follows_is_a_check_of_its_own() {
    let moved = |to: &str| {
        format!("HTTP/1.1 302 Found\r\nlocation: http://{to}/\r\ncontent-length: 0\r\n\r\n").into_bytes()
    };
    let there = Server::start(answer("200 OK", "there")).await;
    let authority = format!("127.0.0.1:{}", there.port);
    let resolver = Answers::new(&[]);
    for (location, granted) in
        [("169.254.169.254", "*"), ("10.0.0.7", "*"), (&authority, "http://127.0.0.1:*")]
    {
        let server = Server::start(moved(location)).await;
        let world = world(&resolver);
        let ask = format!("A0127.0.0.1:{}", server.port);
        let lines = [ask.as_str(), ">", "<", "0", "L", "A0", "@", ">", "+\"", "<", "+\""];
        let report = world.script(everything(&[granted], &[]), &lines).await;
        match location {
            "169.254.169.254" => is_metadata(&failure(report)),
            "10.0.0.7" => {
                let line = failure(report).problem.details.unwrap()["allow_with"].clone();
                assert_eq!(line, "egress.allow_cidrs = [\"127.0.0.0/8\",\"10.0.0.0/8\"]");
            }
            _ => assert_eq!(told(&report), "\"200there\""),
        }
        assert_eq!((server.requests(), world.gate.asked.lock().unwrap().len()), (1, 2), "{location}");
    }
    assert_eq!(there.requests(), 1);
}

#[tokio::test]
async fn a_redirect_to_a_host_that_is_not_granted_is_denied() {
    let moved = b"HTTP/1.1 302 Found\r\nlocation: http://elsewhere.example/\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(moved.to_vec()).await;
    let resolver = Answers::new(&[&["127.0.0.1"]]);
    let world = world(&resolver);
    let ask = format!("A0127.0.0.1:{}", server.port);
    let lines = [ask.as_str(), ">", "<", "0", "L", "A0", "@", ">", "<"];
    let denied = failure(world.script(everything(&["http://127.0.0.1:*"], &[]), &lines).await);
    assert_eq!(denied.problem.details.unwrap()["rule"], "grant.hosts");
    // Its name was not even looked up.
    assert_eq!(resolver.asked(), 0);
}

#[tokio::test]
async fn lookups_that_do_not_end_are_bounded_for_each_tenant() {
    let server = Server::start(answer("200 OK", "x")).await;
    let resolver = Answers::new(&[&["127.0.0.1"]]);
    let world = world(&resolver);
    let digest = world.store(&http());
    let run = async |tenant: &str| {
        let target = format!("0slow.example:{}", server.port);
        told(&world.sandbox.run(attempt_of(tenant, &digest, hosts(&["*"]), &target)).await)
    };
    resolver.open.send_replace(false);
    for _ in 0..=LOOKUPS_PER_TENANT_MAX {
        assert_eq!(run("tenant-1").await, "http: 000", "DNS-timeout");
    }
    // Those that were given up still run, so that the last one was not even begun.
    assert_eq!(resolver.asked(), LOOKUPS_PER_TENANT_MAX);
    assert_eq!(run("tenant-2").await, "http: 000");
    assert_eq!(resolver.asked(), LOOKUPS_PER_TENANT_MAX + 1);
    resolver.open.send_replace(true);
    assert_eq!(run("tenant-1").await, "200");
}
