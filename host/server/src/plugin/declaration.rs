//! How something is declared, in the words of the author's language: a key of the attribute in Rust, a member of
//! `manifest.json` elsewhere.

use quantum_core::manifest::{Capabilities, SecretDeclaration, SecretPlace};
use quantum_core::vocabulary::Capability;
use serde_json::{Value, json};

use super::inspect::grouped;

/// Where the manifest of a plugin is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `#[action(…)]` in Rust.
    Attribute,
    /// `manifest.json`.
    File,
    /// One or the other: the plugin is packed, and does not tell its language.
    Packed,
}

/// One thing that a manifest may say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Declaration {
    /// With what stands for names, where it needs some.
    Capability(Capability),
    Http(String),
    Secret {
        name: String,
        places: Vec<SecretPlace>,
    },
    Reveal(String),
    /// Bytes.
    Memory(u64),
}

impl Declaration {
    /// The line to write. `declared`: what the manifest says already, so that in a file nothing of it is lost.
    pub fn written(&self, form: Form, declared: &Capabilities) -> String {
        match form {
            Form::Attribute => format!("#[action({})]", self.key()),
            Form::File => self.member(declared),
            Form::Packed => format!("in Rust #[action({})], else {}", self.key(), self.member(declared)),
        }
    }

    fn key(&self) -> String {
        match self {
            Self::Capability(capability) => example(*capability).to_owned(),
            Self::Http(host) => format!("http = \"{host}\""),
            Self::Secret { name, places } if places == &[SecretPlace::Header] => {
                format!("secrets(\"{name}\")")
            }
            Self::Secret { name, places } => {
                let places: Vec<_> = places.iter().map(|place| word(*place)).collect();
                format!("secrets(\"{name}\", in = \"{}\")", places.join(","))
            }
            Self::Reveal(name) => format!("reveal(\"{name}\")"),
            Self::Memory(bytes) => format!("memory_bytes_max = {}", grouped(*bytes, "_")),
        }
    }

    fn member(&self, declared: &Capabilities) -> String {
        let (key, value) = match self {
            Self::Memory(bytes) => ("memory_bytes_max", json!(bytes)),
            Self::Http(host) => ("http", http(declared, host)),
            Self::Secret { name, places } => {
                let new = SecretDeclaration { name: name.clone(), places: places.clone() };
                let others = declared.secrets.iter().filter(|other| other.name != *name).cloned();
                ("secrets", json!(others.chain([new]).collect::<Vec<_>>()))
            }
            Self::Reveal(name) => ("reveal", json!(declared.reveal.iter().chain([name]).collect::<Vec<_>>())),
            Self::Capability(capability) => return member(*capability).to_owned(),
        };
        format!("\"{key}\": {value}")
    }
}

fn http(declared: &Capabilities, host: &str) -> Value {
    let mut http = declared.http.clone().unwrap_or_default();
    http.hosts.push(host.to_owned());
    json!(http)
}

/// In the attribute.
fn example(capability: Capability) -> &'static str {
    match capability {
        Capability::Http => "http = \"https://api.example.com\"",
        Capability::SecretsUse => "secrets(\"NAME\")",
        Capability::SecretsReveal => "reveal(\"NAME\")",
        Capability::Kv => "kv",
        Capability::Artifacts => "artifacts",
        Capability::Clock => "clock",
        Capability::Random => "random",
    }
}

/// In `capabilities` of the file.
pub(super) fn member(capability: Capability) -> &'static str {
    match capability {
        Capability::Http => "\"http\": {\"hosts\": [\"https://api.example.com\"]}",
        Capability::SecretsUse => "\"secrets\": [{\"name\": \"NAME\"}]",
        Capability::SecretsReveal => "\"reveal\": [\"NAME\"]",
        Capability::Kv => "\"kv\": true",
        Capability::Artifacts => "\"artifacts\": true",
        Capability::Clock => "\"clock\": true",
        Capability::Random => "\"random\": true",
    }
}

/// As attribute, file and people have it.
pub(super) fn word(place: SecretPlace) -> &'static str {
    match place {
        SecretPlace::Header => "header",
        SecretPlace::Query => "query",
        SecretPlace::Body => "body",
    }
}

#[cfg(test)]
mod tests {
    use quantum_core::manifest::HttpDeclaration;

    use super::*;

    fn check(declaration: &Declaration, attribute: &str, file: &str) {
        let http = HttpDeclaration { hosts: vec!["https://a.example".to_owned()], ..Default::default() };
        let one = SecretDeclaration { name: "ONE".to_owned(), places: vec![SecretPlace::Header] };
        let declared = Capabilities { http: Some(http), secrets: vec![one], ..Capabilities::default() };
        assert_eq!(declaration.written(Form::Attribute, &declared), format!("#[action({attribute})]"));
        assert_eq!(declaration.written(Form::File, &declared), file);
        let packed = format!("in Rust #[action({attribute})], else {file}");
        assert_eq!(declaration.written(Form::Packed, &declared), packed);
    }

    #[test]
    fn a_declaration_is_written_in_the_words_of_the_language_and_loses_nothing() {
        check(&Declaration::Capability(Capability::Kv), "kv", "\"kv\": true");
        check(
            &Declaration::Http("https://b.example".to_owned()),
            "http = \"https://b.example\"",
            r#""http": {"hosts":["https://a.example","https://b.example"]}"#,
        );
        let places = vec![SecretPlace::Header, SecretPlace::Query];
        check(
            &Declaration::Secret { name: "ONE".to_owned(), places },
            "secrets(\"ONE\", in = \"header,query\")",
            r#""secrets": [{"name":"ONE","places":["header","query"]}]"#,
        );
        check(
            &Declaration::Secret { name: "TWO".to_owned(), places: vec![SecretPlace::Header] },
            "secrets(\"TWO\")",
            r#""secrets": [{"name":"ONE","places":["header"]},{"name":"TWO","places":["header"]}]"#,
        );
        check(&Declaration::Reveal("KEY".to_owned()), "reveal(\"KEY\")", "\"reveal\": [\"KEY\"]");
        check(
            &Declaration::Memory(134_217_728),
            "memory_bytes_max = 134_217_728",
            "\"memory_bytes_max\": 134217728",
        );
    }
}
