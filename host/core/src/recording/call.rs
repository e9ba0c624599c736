//! One call of the guest that the host answered from outside of the sandbox: what was asked, and what was told.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Data;

/// In the order in which the guest made them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    pub asked: Asked,
    /// What a request sent behind its head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
    /// None: the attempt ended before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// What a replay compares. Readers and writers of artifacts are numbered as they were opened, from 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", deny_unknown_fields)]
pub enum Asked {
    #[serde(rename = "http.request")]
    HttpRequest { method: String, url: String, headers: Vec<Header> },
    #[serde(rename = "kv.get")]
    KvGet { key: String },
    #[serde(rename = "kv.set")]
    KvSet { key: String, value: Data, ttl_ms: Option<u64> },
    #[serde(rename = "kv.compare-and-set")]
    KvCompareAndSet { key: String, expected: Option<u64>, value: Data, ttl_ms: Option<u64> },
    #[serde(rename = "kv.delete")]
    KvDelete { key: String },
    #[serde(rename = "artifacts.stat")]
    ArtifactStat { reference: String },
    #[serde(rename = "artifacts.open")]
    ArtifactOpen { reference: String, offset: u64 },
    #[serde(rename = "artifacts.read")]
    ArtifactRead { reader: u64, max: u32 },
    #[serde(rename = "artifacts.create")]
    ArtifactCreate { media_type: Option<String> },
    #[serde(rename = "artifacts.write")]
    ArtifactWrite { writer: u64, bytes: Data },
    #[serde(rename = "artifacts.finish")]
    ArtifactFinish { writer: u64, name: Option<String> },
    #[serde(rename = "secrets.placeholder")]
    SecretPlaceholder { name: String },
    #[serde(rename = "secrets.basic")]
    SecretBasic { user: String, name: String },
    #[serde(rename = "secrets.hmac-sha256")]
    SecretHmac { name: String, data: Data },
    #[serde(rename = "secrets.reveal")]
    SecretReveal { name: String },
}

/// What the host told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    Ok(Value),
    Err(Refusal),
    /// Of a request.
    Http(HttpFailure),
}

/// A typed answer.
pub type Told<T> = Result<T, Refusal>;

/// Why an effect did not happen, in the words that the guest was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    pub code: String,
    pub message: String,
    #[serde(default)]
    pub retryable: bool,
}

/// A field of a head: its name and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header(pub String, pub Data);

/// The body of a request, as the guest wrote it: with placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    pub body: Data,
    /// The guest wrote all that it wanted to.
    pub whole: bool,
    /// Bytes of it that had left when the answer began.
    pub before_answer: u64,
}

/// The answer to a request, with its body in the pieces in which the guest got it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpAnswer {
    pub status: u16,
    pub headers: Vec<Header>,
    pub pieces: Vec<Data>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trailers: Vec<Header>,
    pub end: HttpBodyEnd,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HttpBodyEnd {
    /// The guest saw the end.
    Whole,
    /// The guest did not read further.
    Open,
    Failed(HttpFailure),
}

/// Why there is no answer, or no more of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpFailure {
    /// As `wasi:http` calls it.
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The host denied it: why, as the failure of the attempt says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// What a person can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedEntry {
    pub value: Data,
    pub revision: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedArtifact {
    pub digest: String,
    pub size: u64,
    pub media_type: Option<String>,
}

impl Asked {
    /// As the format calls it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::HttpRequest { .. } => "http.request",
            Self::KvGet { .. } => "kv.get",
            Self::KvSet { .. } => "kv.set",
            Self::KvCompareAndSet { .. } => "kv.compare-and-set",
            Self::KvDelete { .. } => "kv.delete",
            Self::ArtifactStat { .. } => "artifacts.stat",
            Self::ArtifactOpen { .. } => "artifacts.open",
            Self::ArtifactRead { .. } => "artifacts.read",
            Self::ArtifactCreate { .. } => "artifacts.create",
            Self::ArtifactWrite { .. } => "artifacts.write",
            Self::ArtifactFinish { .. } => "artifacts.finish",
            Self::SecretPlaceholder { .. } => "secrets.placeholder",
            Self::SecretBasic { .. } => "secrets.basic",
            Self::SecretHmac { .. } => "secrets.hmac-sha256",
            Self::SecretReveal { .. } => "secrets.reveal",
        }
    }

    /// The call and what it is about, short enough for one line.
    pub fn shown(&self) -> String {
        let what = match self {
            Self::HttpRequest { method, url, .. } => format!("{method} {url}"),
            Self::KvGet { key }
            | Self::KvSet { key, .. }
            | Self::KvCompareAndSet { key, .. }
            | Self::KvDelete { key } => {
                format!("{key:?}")
            }
            Self::ArtifactStat { reference } | Self::ArtifactOpen { reference, .. } => {
                format!("{reference:?}")
            }
            Self::ArtifactRead { reader, .. } => format!("reader {reader}"),
            Self::ArtifactWrite { writer, .. } | Self::ArtifactFinish { writer, .. } => {
                format!("writer {writer}")
            }
            Self::ArtifactCreate { media_type } => media_type.clone().unwrap_or_default(),
            Self::SecretPlaceholder { name } | Self::SecretBasic { name, .. } => name.clone(),
            Self::SecretHmac { name, .. } | Self::SecretReveal { name } => name.clone(),
        };
        let what: String = what.chars().take(SHOWN_CHARS_MAX).collect();
        format!("{} {what}", self.word()).trim_end().to_owned()
    }
}

/// Characters of what a call is about, in a line for people.
const SHOWN_CHARS_MAX: usize = 160;

impl Answer {
    pub fn of<T: Serialize>(told: &Told<T>) -> Self {
        match told {
            Ok(value) => serde_json::to_value(value).map_or_else(|_| Self::Ok(Value::Null), Self::Ok),
            Err(refusal) => Self::Err(refusal.clone()),
        }
    }

    /// None: it is no answer to such a call.
    pub fn read<T: DeserializeOwned>(&self) -> Option<Told<T>> {
        match self {
            Self::Ok(value) => T::deserialize(value).ok().map(Ok),
            Self::Err(refusal) => Some(Err(refusal.clone())),
            Self::Http(_) => None,
        }
    }

    /// Of a request. None: it is no answer to one.
    pub fn read_http(&self) -> Option<Result<HttpAnswer, HttpFailure>> {
        match self {
            Self::Ok(value) => HttpAnswer::deserialize(value).ok().map(Ok),
            Self::Http(failure) => Some(Err(failure.clone())),
            Self::Err(_) => None,
        }
    }
}

impl Call {
    /// The answer is one to what was asked.
    pub fn is_answered_in_kind(&self) -> bool {
        let Some(answer) = &self.answer else { return true };
        match &self.asked {
            Asked::HttpRequest { .. } => answer.read_http().is_some(),
            Asked::KvGet { .. } => answer.read::<Option<RecordedEntry>>().is_some(),
            Asked::KvSet { .. } => answer.read::<u64>().is_some(),
            Asked::KvCompareAndSet { .. } => answer.read::<Option<u64>>().is_some(),
            Asked::ArtifactStat { .. } => answer.read::<Option<RecordedArtifact>>().is_some(),
            Asked::ArtifactFinish { .. } => answer.read::<RecordedArtifact>().is_some(),
            Asked::ArtifactRead { .. } | Asked::SecretHmac { .. } => answer.read::<Data>().is_some(),
            Asked::KvDelete { .. } | Asked::ArtifactOpen { .. } => answer.read::<()>().is_some(),
            Asked::ArtifactCreate { .. } | Asked::ArtifactWrite { .. } => answer.read::<()>().is_some(),
            Asked::SecretPlaceholder { .. } | Asked::SecretBasic { .. } | Asked::SecretReveal { .. } => {
                answer.read::<String>().is_some()
            }
        }
    }
}
