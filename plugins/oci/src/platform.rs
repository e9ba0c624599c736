//! What an image runs on.

use quantum_sdk::prelude::*;
use serde_json::Value;

/// `os/architecture[/variant]`, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    pub os: String,
    pub architecture: String,
    pub variant: Option<String>,
}

impl Platform {
    pub fn parse(text: &str) -> Result<Self> {
        let word =
            |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let parts: Vec<&str> = text.split('/').filter(word).collect();
        let whole = parts.len() == text.split('/').count();
        match (whole, parts.as_slice()) {
            (true, [os, architecture]) => Ok(Self::of(os, architecture, None)),
            (true, [os, architecture, variant]) => Ok(Self::of(os, architecture, Some(variant))),
            _ => {
                let message = format!(
                    "\"{text}\" is not a platform: write os/architecture or os/architecture/variant, for example \
                    linux/amd64 or linux/arm/v7"
                );
                Err(Failure::permanent("platform-invalid", message))
            }
        }
    }

    fn of(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        Self { os: os.to_owned(), architecture: architecture.to_owned(), variant: variant.map(str::to_owned) }
    }

    /// What an index or a configuration says of itself; none when it does not.
    pub fn told(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        Some(Self::of(text("os")?, text("architecture")?, text("variant")))
    }

    /// Whether something for `other` runs here. A variant counts only where this one asks for it, or both have one.
    pub fn takes(&self, other: &Self) -> bool {
        let variant = match (&self.variant, &other.variant) {
            (Some(wanted), Some(found)) => wanted == found,
            (Some(_), None) | (None, _) => true,
        };
        (&self.os, &self.architecture) == (&other.os, &other.architecture) && variant
    }

    /// As in a configuration.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let variant = self.variant.as_deref().map(|variant| ("variant", variant));
        [("architecture", self.architecture.as_str()), ("os", self.os.as_str())].into_iter().chain(variant)
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        Platform::parse(text).unwrap()
    }

    #[test]
    fn a_platform_is_read_and_written() {
        for text in ["linux/amd64", "linux/arm/v7"] {
            assert_eq!(platform(text).to_string(), text);
        }
        for bad in ["", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux/a b"] {
            let failure = Platform::parse(bad).unwrap_err();
            assert_eq!(failure.problem().unwrap().code, "platform-invalid", "{bad}");
        }
    }

    #[test]
    fn a_variant_counts_where_it_is_asked_for() {
        assert!(platform("linux/arm/v7").takes(&platform("linux/arm/v7")));
        assert!(platform("linux/arm64").takes(&platform("linux/arm64/v8")));
        assert!(platform("linux/arm64/v8").takes(&platform("linux/arm64")));
        assert!(!platform("linux/arm/v7").takes(&platform("linux/arm/v6")));
        assert!(!platform("linux/amd64").takes(&platform("windows/amd64")));
    }
}
