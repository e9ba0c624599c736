//! Names of images: `[registry/]repository[:tag][@digest]`, by the grammar that registries and their clients share.

use quantum_sdk::prelude::*;

use crate::digest::Digest;

/// The registry of a base whose name has none.
const DEFAULT_REGISTRY: &str = "docker.io";
/// Where that registry's API answers; its name is only a name.
const DEFAULT_REGISTRY_HOST: &str = "registry-1.docker.io";
/// The namespace of names without one there.
const DEFAULT_NAMESPACE: &str = "library";
/// The tag of a name without one.
pub const DEFAULT_TAG: &str = "latest";
/// Characters of a repository, from the distribution specification. Longer ones are refused.
const REPOSITORY_CHARS_MAX: usize = 255;
/// Characters of a tag, from the distribution specification. Longer ones are refused.
const TAG_CHARS_MAX: usize = 128;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// `host[:port]`; none where the name has none.
    pub registry: Option<String>,
    pub repository: String,
    pub tag: Option<String>,
    pub digest: Option<Digest>,
}

impl Reference {
    pub fn parse(text: &str) -> Result<Self> {
        read(text).map_err(|reason| {
            let message = format!(
                "\"{text}\" is not the name of an image: {reason}; write for example myapp:1.2.3 or \
                registry.example.com/team/myapp:1.2.3"
            );
            Failure::permanent("image-invalid", message)
        })
    }

    /// The tag, or the one that is meant where none is written.
    pub fn tag_or_default(&self) -> &str {
        self.tag.as_deref().unwrap_or(DEFAULT_TAG)
    }

    /// `[registry/]repository`.
    pub fn name(&self) -> String {
        match &self.registry {
            Some(registry) => format!("{registry}/{}", self.repository),
            None => self.repository.clone(),
        }
    }

    /// Registry and repository to pull from: `alpine` is `library/alpine` of docker.io.
    pub fn source(&self) -> (String, String) {
        let registry = self.registry.clone().unwrap_or_else(|| DEFAULT_REGISTRY.to_owned());
        if registry == DEFAULT_REGISTRY && !self.repository.contains('/') {
            let repository = format!("{DEFAULT_NAMESPACE}/{}", self.repository);
            return (registry, repository);
        }
        (registry, self.repository.clone())
    }

    /// What a registry is asked for: the digest where there is one, else the tag.
    pub fn version(&self) -> &str {
        self.digest.as_ref().map_or_else(|| self.tag_or_default(), Digest::as_str)
    }
}

/// The name of a registry, in lowercase, when it is `host[:port]`.
pub fn registry_name(text: &str) -> Result<String> {
    let name = text.to_ascii_lowercase();
    if is_registry(&name) {
        return Ok(name);
    }
    let message = format!(
        "\"{text}\" is not the name of a registry: write its host and, where it has one, its port, like \
        registry.example.com:5000; what comes after a slash belongs into repository"
    );
    Err(Failure::permanent("registry-invalid", message))
}

/// Where the API of a registry answers.
pub fn registry_host(name: &str) -> &str {
    if name == DEFAULT_REGISTRY { DEFAULT_REGISTRY_HOST } else { name }
}

pub fn is_repository(text: &str) -> bool {
    text.len() <= REPOSITORY_CHARS_MAX && text.split('/').all(is_repository_part)
}

pub fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let mut bytes = text.bytes();
    text.len() <= TAG_CHARS_MAX
        && bytes.next().is_some_and(word)
        && bytes.all(|b| word(b) || b == b'.' || b == b'-')
}

/// Err: what is wrong, for people.
fn read(text: &str) -> Result<Reference, &'static str> {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => {
            let digest = Digest::parse(digest).ok_or("after @ comes sha256: and 64 lowercase hex digits")?;
            (rest, Some(digest))
        }
        None => (text, None),
    };
    let (registry, rest) = match rest.split_once('/') {
        Some((first, rest)) if is_registry_part(first) => (Some(first.to_ascii_lowercase()), rest),
        _ => (None, rest),
    };
    let (repository, tag) = match rest.split_once(':') {
        Some((repository, tag)) => (repository, Some(tag)),
        None => (rest, None),
    };
    if registry.as_deref().is_some_and(|registry| !is_registry(registry)) {
        return Err("its registry is not host[:port]");
    }
    if repository.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err("a repository is written in lowercase");
    }
    if !is_repository(repository) {
        return Err("a repository has lowercase letters, digits, and single separators . _ - between them");
    }
    if !tag.is_none_or(is_tag) {
        return Err("a tag has at most 128 letters, digits, _ . - and does not start with . or -");
    }
    Ok(Reference { registry, repository: repository.to_owned(), tag: tag.map(str::to_owned), digest })
}

/// Whether what stands before the first slash is a registry and not a namespace.
fn is_registry_part(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':'])
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// Lowercase letters and digits; between them one dot, one or two underscores, or hyphens.
fn is_repository_part(part: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separator = |run: &str| matches!(run, "" | "." | "_" | "__") || run.bytes().all(|b| b == b'-');
    part.starts_with(alphanumeric) && part.ends_with(alphanumeric) && part.split(alphanumeric).all(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_falls_into_its_parts() {
        let hex = "a".repeat(64);
        for (text, registry, repository, tag) in [
            ("myapp", None, "myapp", None),
            ("myapp:1.2.3", None, "myapp", Some("1.2.3")),
            ("team/my-app__x:V_1", None, "team/my-app__x", Some("V_1")),
            ("localhost/a", Some("localhost"), "a", None),
            ("localhost:5000/a/b:c", Some("localhost:5000"), "a/b", Some("c")),
            ("Registry.example.com/a", Some("registry.example.com"), "a", None),
        ] {
            let parsed = Reference::parse(text).unwrap();
            let found = (parsed.registry.as_deref(), parsed.repository.as_str(), parsed.tag.as_deref());
            assert_eq!(found, (registry, repository, tag), "{text}");
            let pinned = Reference::parse(&format!("{text}@sha256:{hex}")).unwrap();
            assert_eq!(pinned.version(), format!("sha256:{hex}"));
        }
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_reason() {
        let long = format!("a:{}", "x".repeat(129));
        for (bad, reason) in [
            ("", "a repository has"),
            ("MyApp:1", "lowercase"),
            ("a//b", "a repository has"),
            ("a..b", "a repository has"),
            ("a___b", "a repository has"),
            ("-a", "a repository has"),
            ("a b", "a repository has"),
            ("../a", "a registry is not host"),
            ("a:", "a tag has"),
            ("a:.x", "a tag has"),
            (long.as_str(), "a tag has"),
            ("a@sha256:12", "after @"),
            ("https://a.example/b", "its registry is not"),
            ("a.example:port/b", "its registry is not"),
        ] {
            let failure = Reference::parse(bad).unwrap_err();
            let problem = failure.problem().unwrap();
            assert_eq!((problem.code.as_str(), failure.is_retryable()), ("image-invalid", false), "{bad}");
            let reason = reason.replace("a registry", "its registry");
            assert!(problem.message.contains(&reason), "{bad}: {}", problem.message);
        }
    }

    #[test]
    fn short_names_are_found_where_everyone_looks_for_them() {
        let source = |text| Reference::parse(text).unwrap().source();
        assert_eq!(source("alpine:3"), ("docker.io".to_owned(), "library/alpine".to_owned()));
        assert_eq!(source("team/app"), ("docker.io".to_owned(), "team/app".to_owned()));
        assert_eq!(source("a.example/app"), ("a.example".to_owned(), "app".to_owned()));
        assert_eq!(registry_host("docker.io"), "registry-1.docker.io");
    }

    #[test]
    fn a_registry_is_a_host_and_a_port() {
        assert_eq!(registry_name("AzureCR.io").unwrap(), "azurecr.io");
        assert_eq!(registry_name("127.0.0.1:5000").unwrap(), "127.0.0.1:5000");
        for bad in ["", "azurecr.io/team", "https://azurecr.io", "a:0", "a:65536", "a b", "a@b", "-a.io"] {
            let failure = registry_name(bad).unwrap_err();
            assert_eq!(failure.problem().unwrap().code, "registry-invalid", "{bad}");
        }
    }
}
