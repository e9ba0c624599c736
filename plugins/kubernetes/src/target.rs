//! Which Deployment is meant, and where the API has it.

use quantum_sdk::prelude::*;

/// Bytes of a DNS label (RFC 1123), which namespaces are, and names that stand in labels.
const LABEL_BYTES_MAX: usize = 63;

/// A Deployment by its names, which are checked: they stand in paths as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub namespace: String,
    pub name: String,
}

impl Target {
    /// Err: permanent, `invalid-parameters`.
    pub fn new(namespace: String, name: String) -> Result<Self> {
        check("namespace", &namespace)?;
        check("name", &name)?;
        Ok(Self { namespace, name })
    }

    /// The collection of Deployments.
    pub fn deployments(&self) -> String {
        format!("/apis/apps/v1/namespaces/{}/deployments", self.namespace)
    }

    /// The Deployment itself.
    pub fn deployment(&self) -> String {
        format!("{}/{}", self.deployments(), self.name)
    }

    /// Changes of this Deployment since a version of it, for so many seconds.
    pub fn watch(&self, resource_version: &str, seconds: u64) -> String {
        format!(
            "{}?watch=true&fieldSelector={}&resourceVersion={}&timeoutSeconds={seconds}",
            self.deployments(),
            encode(&format!("metadata.name={}", self.name)),
            encode(resource_version)
        )
    }

    /// The ReplicaSets that a selector finds.
    pub fn replica_sets(&self, selector: &str) -> String {
        let namespace = &self.namespace;
        format!("/apis/apps/v1/namespaces/{namespace}/replicasets?labelSelector={}", encode(selector))
    }

    /// So many of the pods that a selector finds.
    pub fn pods(&self, selector: &str, limit: usize) -> String {
        let namespace = &self.namespace;
        format!("/api/v1/namespaces/{namespace}/pods?labelSelector={}&limit={limit}", encode(selector))
    }

    /// For people.
    pub fn describe(&self) -> String {
        format!("deployment \"{}\" in namespace \"{}\"", self.name, self.namespace)
    }
}

fn check(parameter: &str, value: &str) -> Result<()> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let edges = !value.starts_with('-') && !value.ends_with('-');
    if !value.is_empty() && value.len() <= LABEL_BYTES_MAX && value.bytes().all(inner) && edges {
        return Ok(());
    }
    let message = format!(
        "{parameter}: \"{value}\" is no name for Kubernetes: 1 to 63 of a-z, 0-9 and '-', and no '-' at either end"
    );
    Err(Failure::permanent("invalid-parameters", message))
}

/// Percent-encodes a value of a query.
fn encode(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_are_those_of_the_documented_api() {
        let target = Target::new("production".to_owned(), "web".to_owned()).unwrap();
        assert_eq!(target.deployment(), "/apis/apps/v1/namespaces/production/deployments/web");
        assert_eq!(
            target.watch("42", 5),
            "/apis/apps/v1/namespaces/production/deployments\
             ?watch=true&fieldSelector=metadata.name%3Dweb&resourceVersion=42&timeoutSeconds=5"
        );
        assert_eq!(
            target.pods("app in (a,b)", 20),
            "/api/v1/namespaces/production/pods?labelSelector=app%20in%20%28a%2Cb%29&limit=20"
        );
    }

    #[test]
    fn a_name_that_could_leave_its_place_in_a_path_is_refused() {
        let long = "a".repeat(64);
        for bad in ["", "Web", "-web", "web-", "../secrets", "a/b", "a?b", "a.b", "ä", long.as_str()] {
            let failure = Target::new("production".to_owned(), bad.to_owned()).unwrap_err();
            assert!(failure.to_string().starts_with("invalid-parameters: name: \""), "{failure}");
            let failure = Target::new(bad.to_owned(), "web".to_owned()).unwrap_err();
            assert!(failure.to_string().starts_with("invalid-parameters: namespace: \""), "{failure}");
        }
        for good in ["a", "0", "web-2", &"a".repeat(63)] {
            assert!(Target::new(good.to_owned(), good.to_owned()).is_ok(), "{good}");
        }
    }
}
