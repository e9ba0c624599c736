//! The dependency table of ARCHITECTURE.md, held against what cargo says.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Finding;
use crate::workspace::{self, Edge, Metadata};

/// A package of the workspace, and what its manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    pub name: String,
    /// Its manifest, from the root.
    pub manifest: String,
    /// Dependencies of every kind on packages of the workspace.
    pub own: Vec<String>,
    /// Dependencies, not for tests, on others.
    pub others: Vec<String>,
}

/// What one room may know.
struct Room {
    /// A name, or a beginning that ends in `*`.
    package: &'static str,
    own: &'static [&'static str],
    /// External packages that it must not name.
    never: &'static [&'static str],
    /// External packages that must not be in its tree at all.
    never_reached: &'static [&'static str],
}

const HTTP: &[&str] = &["axum", "hyper", "hyper-util", "tower-http", "reqwest"];
const FOREIGN_CODE: &str = "wasmtime";
/// Of bindings. Whoever builds a plugin would wait for it.
const GENERATOR: &str = "wit-bindgen-rust*";
const POLICIES: &str = "cedar-policy";
/// Real servers, for tests: a room that may know it must not link it.
const SERVERS: &str = "quantum-testing";
/// As `SERVERS`: an object store, which needs an async runtime.
const OBJECT_STORE: &str = "quantum-testing-bucket";

const TABLE: &[Room] = &[
    Room {
        package: "quantum-core",
        own: &[],
        never: &["rand", "getrandom", "tracing"],
        never_reached: &["tokio", "sqlx", "hyper", "axum", FOREIGN_CODE, POLICIES, "rand", "reqwest"],
    },
    Room {
        package: "quantum-store",
        own: &["quantum-core", SERVERS, OBJECT_STORE],
        // It is a client of object stores over HTTP, and serves nobody.
        never: &["axum", "hyper", "hyper-util", "tower-http"],
        never_reached: &["axum", FOREIGN_CODE, POLICIES, SERVERS, OBJECT_STORE],
    },
    Room {
        package: "quantum-policy",
        own: &["quantum-core"],
        never: HTTP,
        never_reached: &["tokio", "sqlx", "hyper", "axum", FOREIGN_CODE],
    },
    Room {
        package: "quantum-sandbox",
        own: &["quantum-core"],
        never: &["axum"],
        never_reached: &["sqlx", POLICIES, "axum"],
    },
    Room {
        package: "quantum-marketplace",
        own: &["quantum-core"],
        never: &["axum"],
        never_reached: &["sqlx", POLICIES, "axum", FOREIGN_CODE],
    },
    Room {
        package: "quantum-catalog",
        own: &["quantum-core", "quantum-store", SERVERS],
        never: &["sqlx", "hyper", "reqwest", "object_store"],
        never_reached: &["axum", FOREIGN_CODE, POLICIES, SERVERS],
    },
    Room {
        package: "quantum-engine",
        own: &["quantum-core", "quantum-store", SERVERS],
        never: &["sqlx", "hyper", "reqwest", "object_store"],
        never_reached: &["axum", FOREIGN_CODE, POLICIES, SERVERS],
    },
    Room {
        package: "quantum-api",
        own: &[
            "quantum-core",
            "quantum-store",
            "quantum-catalog",
            "quantum-engine",
            "quantum-policy",
            "quantum-sandbox",
            "quantum-marketplace",
            SERVERS,
            OBJECT_STORE,
        ],
        never: &["sqlx", "object_store", FOREIGN_CODE, POLICIES, "clap"],
        never_reached: &[SERVERS, OBJECT_STORE],
    },
    Room {
        package: "quantum-server",
        own: &[
            "quantum-core",
            "quantum-store",
            "quantum-catalog",
            "quantum-engine",
            "quantum-policy",
            "quantum-sandbox",
            "quantum-marketplace",
            "quantum-api",
            // For tests: a registry and a cluster to deploy to. `check_reach` holds that the host does not link it.
            "xtask",
            SERVERS,
            OBJECT_STORE,
        ],
        never: &["sqlx", "object_store", POLICIES, "axum"],
        never_reached: &["xtask", SERVERS, OBJECT_STORE],
    },
    Room {
        package: SERVERS,
        own: &[],
        never: &[],
        never_reached: &["tokio", "sqlx", "hyper", "axum", FOREIGN_CODE, POLICIES],
    },
    Room {
        package: OBJECT_STORE,
        own: &[],
        never: &[],
        never_reached: &["sqlx", "axum", FOREIGN_CODE, POLICIES],
    },
    Room {
        package: "quantum-sdk",
        own: &["quantum-sdk-macros"],
        never: &[],
        never_reached: &[FOREIGN_CODE, GENERATOR, "tokio", "sqlx"],
    },
    Room {
        package: "quantum-sdk-macros",
        own: &[],
        never: &[],
        never_reached: &[FOREIGN_CODE, GENERATOR, "tokio", "sqlx"],
    },
    Room {
        package: "quantum-sdk-bindgen",
        own: &[],
        never: &[],
        never_reached: &[FOREIGN_CODE, "tokio", "sqlx"],
    },
    Room {
        package: "quantum-plugin-*",
        own: &["quantum-sdk"],
        never: &[],
        never_reached: &[FOREIGN_CODE, GENERATOR, "tokio", "sqlx"],
    },
    Room { package: "quantum-benches", own: &["*"], never: &[], never_reached: &[] },
    Room {
        package: "xtask",
        // For chaos with several nodes.
        own: &[SERVERS],
        never: &["syn", "tokio", "reqwest"],
        never_reached: &["tokio", "hyper", "reqwest"],
    },
];

/// What each manifest asks for, as the table wants to know it.
pub fn packages(graph: &Metadata) -> Vec<Package> {
    let members: Vec<_> = graph.members().collect();
    let names: BTreeSet<_> = members.iter().map(|package| package.name.as_str()).collect();
    let package = |package: &&workspace::Package| {
        let (own, others): (Vec<_>, Vec<_>) =
            package.dependencies.iter().partition(|dependency| names.contains(dependency.name.as_str()));
        let shipped = others.into_iter().filter(|dependency| dependency.kind.as_deref() != Some("dev"));
        Package {
            name: package.name.clone(),
            manifest: workspace::relative(&package.manifest_path),
            own: own.into_iter().map(|dependency| dependency.name.clone()).collect(),
            others: shipped.map(|dependency| dependency.name.clone()).collect(),
        }
    };
    members.iter().map(package).collect()
}

/// Direct dependencies of every package against the table.
pub fn check_rooms(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Finding> {
    let Some(room) = room(&package.name) else {
        let what = format!("the table of rooms does not know {}", package.name);
        let fix = "add it to xtask/src/tidy/rooms.rs and ARCHITECTURE.md, with what it may depend on";
        return vec![Finding::new(&package.manifest, 1, what, fix)];
    };
    let forbidden_own = package.own.iter().filter(|name| !any_matches(room.own, name));
    let own = forbidden_own.map(|name| {
        let allowed = if room.own.is_empty() { "nothing of ours".to_owned() } else { room.own.join(", ") };
        (name, format!("it may know {allowed}: pass a value, or a port defined in core"))
    });
    let forbidden = package
        .others
        .iter()
        .filter(|name| any_matches(room.never, name) || any_matches(room.never_reached, name));
    let others =
        forbidden.map(|name| (name, "the room does not do that work: ask for it through a port".to_owned()));
    let finding = |(name, fix): (&String, String)| {
        Finding::new(&package.manifest, 1, format!("{} must not depend on {name}", package.name), fix)
    };
    own.chain(others).map(finding).collect()
}

/// Everything a package links, against what must not be in its tree.
pub fn check_reach(graph: &Metadata) -> Vec<Finding> {
    let edges = normal_edges(graph);
    let mut findings = Vec::new();
    for package in graph.members() {
        let Some(room) = room(&package.name) else { continue };
        let reached = reached(&edges, &package.id);
        let names = graph
            .packages
            .iter()
            .filter(|other| reached.contains(other.id.as_str()))
            .map(|other| other.name.as_str());
        let manifest = workspace::relative(&package.manifest_path);
        for name in names.filter(|name| any_matches(room.never_reached, name)) {
            let fix = format!(
                "`cargo tree --package {} --target all --invert {name}` shows through what",
                package.name
            );
            findings.push(Finding::new(&manifest, 1, format!("{} links {name}", package.name), fix));
        }
    }
    findings
}

/// Who links whom, without what only builds and tests need.
pub fn normal_edges(graph: &Metadata) -> BTreeMap<&str, Vec<&str>> {
    let nodes = graph.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let normal = |dependency: &&Edge| dependency.dep_kinds.iter().any(|kind| kind.kind.is_none());
    nodes
        .map(|node| {
            (
                node.id.as_str(),
                node.deps.iter().filter(normal).map(|dependency| dependency.pkg.as_str()).collect(),
            )
        })
        .collect()
}

pub fn reached<'a>(edges: &BTreeMap<&'a str, Vec<&'a str>>, from: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        let new = edges.get(next).into_iter().flatten().copied().filter(|id| found.insert(*id));
        open.extend(new.collect::<Vec<_>>());
    }
    found
}

fn room(package: &str) -> Option<&'static Room> {
    TABLE.iter().find(|room| any_matches(&[room.package], package))
}

fn any_matches(patterns: &[&str], name: &str) -> bool {
    let one = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => *pattern == name,
    };
    patterns.iter().any(one)
}
