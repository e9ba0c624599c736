//! One TLS and one cryptography library in the host: each further one is code to trust, audit and update.

use super::finding::Finding;
use crate::error::Result;
use crate::shell;

const HOST: &str = "quantum-server";
/// What the host uses.
const CHOSEN: &[&str] = &["rustls", "aws-lc-rs"];
/// Other implementations of the same.
const OTHERS: &[&str] =
    &["ring", "openssl", "openssl-sys", "native-tls", "boring", "boring-sys", "mbedtls", "s2n-tls"];

/// Names and versions of what the host links on Linux. From `cargo tree`, which resolves features as a build does; the
/// graph in `cargo metadata` also has what no enabled feature asks for.
pub fn reached() -> Result<Vec<(String, String)>> {
    let target = ["--target", "x86_64-unknown-linux-gnu"];
    let mut command =
        shell::cargo(&["tree", "--locked", "--package", HOST, "--edges", "normal", "--prefix", "none"]);
    let text = shell::output(command.args(["--no-dedupe", "--format", "{p}"]).args(target))?;
    Ok(read(&String::from_utf8_lossy(&text)))
}

/// Lines `NAME vVERSION …`, each once.
fn read(text: &str) -> Vec<(String, String)> {
    let mut packages: Vec<_> = text
        .lines()
        .filter_map(|line| line.split_once(" v"))
        .map(|(name, rest)| (name.to_owned(), rest.split(' ').next().unwrap_or_default().to_owned()))
        .collect();
    packages.sort();
    packages.dedup();
    packages
}

pub fn check(reached: &[(String, String)]) -> Vec<Finding> {
    let finding = |what: String, name: &str| {
        let fix = format!(
            "`cargo tree --package {HOST} --edges normal --invert {name}` shows who asks for it: turn that feature off"
        );
        Finding::new("Cargo.lock", 1, what, fix)
    };
    let mut findings = Vec::new();
    for (name, version) in reached.iter().filter(|(name, _)| OTHERS.contains(&name.as_str())) {
        findings
            .push(finding(format!("the host links {name} {version} beside {}", CHOSEN.join(" and ")), name));
    }
    for name in CHOSEN {
        let versions: Vec<_> =
            reached.iter().filter(|(known, _)| known == name).map(|(_, v)| v.as_str()).collect();
        if versions.len() != 1 {
            let found = if versions.is_empty() { "none".to_owned() } else { versions.join(", ") };
            findings.push(finding(format!("the host must link exactly one {name}, found: {found}"), name));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_names(names: &[&str]) -> Vec<String> {
        let reached: Vec<_> = names.iter().map(|name| ((*name).to_owned(), "1.0.0".to_owned())).collect();
        check(&reached).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn each_package_of_the_tree_is_read_once() {
        let text = "quantum-server v0.1.0 (/some/folder)\nrustls v0.23.1\n\nserde_derive v1.0.0 (proc-macro)\nrustls v0.23.1\n";
        let expected = [("quantum-server", "0.1.0"), ("rustls", "0.23.1"), ("serde_derive", "1.0.0")];
        assert_eq!(read(text), expected.map(|(name, version)| (name.to_owned(), version.to_owned())));
    }

    #[test]
    fn a_second_backend_a_second_version_and_a_missing_one_are_findings() {
        assert!(check_names(&["rustls", "aws-lc-rs", "serde"]).is_empty());
        assert_eq!(
            check_names(&["rustls", "aws-lc-rs", "ring"]),
            ["the host links ring 1.0.0 beside rustls and aws-lc-rs"]
        );
        assert_eq!(
            check_names(&["rustls", "rustls", "aws-lc-rs"]),
            ["the host must link exactly one rustls, found: 1.0.0, 1.0.0"]
        );
        assert_eq!(check_names(&["rustls"]), ["the host must link exactly one aws-lc-rs, found: none"]);
    }
}
