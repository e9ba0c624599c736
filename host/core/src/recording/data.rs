//! Bytes in a recording: text where they are text that people can read, base64 else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Data(pub Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Written {
    Text(String),
    Encoded { base64: String },
}

impl Data {
    /// How much of a recording it takes, about.
    pub fn bytes(&self) -> usize {
        if self.text().is_some() { self.0.len() } else { self.0.len() / 3 * 4 + 16 }
    }

    fn text(&self) -> Option<&str> {
        let readable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
        std::str::from_utf8(&self.0).ok().filter(|text| text.chars().all(readable))
    }
}

impl From<Vec<u8>> for Data {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text() {
            Some(text) => serializer.serialize_str(text),
            None => Written::Encoded { base64: STANDARD.encode(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text.into_bytes())),
            Written::Encoded { base64 } => STANDARD.decode(base64).map(Self).map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn bytes_are_written_as_text_where_they_are_text_and_come_back() {
        for (bytes, written) in [
            (b"plain \xc3\xbc\n".to_vec(), json!("plain \u{fc}\n")),
            (vec![0, 1, 2], json!({ "base64": "AAEC" })),
            (vec![0xff], json!({ "base64": "/w==" })),
            (vec![], json!("")),
        ] {
            let data = Data(bytes);
            assert_eq!(to_value(&data).unwrap(), written);
            assert_eq!(from_value::<Data>(written).unwrap(), data);
        }
        assert!(from_value::<Data>(json!({ "base64": "%" })).is_err());
        assert!(from_value::<Data>(json!(7)).is_err());
    }
}
