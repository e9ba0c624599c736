//! One conversation with one registry: requests with who asks, asked again when the registry wants to know.

use std::io::Read;
use std::time::Duration;

use quantum_sdk::http::{Response, Stream};
use quantum_sdk::prelude::*;

use super::location::{self, Location};
use super::refusal::REDIRECT;
use crate::digest::Digest;
use crate::reference::registry_host;
use crate::settings::{Config, Identity, PASSWORD};

/// How long connecting, the first byte of an answer, and each further one may take: registries check whole blobs before
/// they answer.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Redirects that a download follows one after another. More is refused.
const REDIRECTS_MAX: usize = 4;

pub struct Client<'a> {
    pub(super) ctx: &'a Context,
    /// As documents write it.
    name: String,
    /// Where the API is.
    pub(super) host: String,
    pub(super) identity: Identity,
    /// What tokens are asked for.
    pub(super) scopes: Vec<String>,
    authorization: Option<String>,
}

/// One request, as often as it needs to be made.
#[derive(Debug)]
pub struct Call<'c> {
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body<'c>,
}

#[derive(Debug, Clone, Copy)]
pub enum Body<'c> {
    Empty,
    Bytes(&'c [u8]),
    /// Of an artifact.
    Piece {
        digest: &'c Digest,
        offset: u64,
        length: u64,
    },
}

impl<'c> Call<'c> {
    pub fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: Body::Empty }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn body(self, body: Body<'c>) -> Self {
        Self { body, ..self }
    }
}

impl<'a> Client<'a> {
    /// Nothing is sent yet.
    pub fn new(ctx: &'a Context, config: &Config, registry: &str, scopes: Vec<String>) -> Result<Self> {
        let identity = config.identity(registry)?;
        let authorization = match &identity {
            Identity::Basic { user } => Some(ctx.secrets().basic(user, PASSWORD)?),
            Identity::Anonymous | Identity::Token { .. } => None,
        };
        let host = registry_host(registry).to_owned();
        Ok(Self { ctx, name: registry.to_owned(), host, identity, scopes, authorization })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub const fn context(&self) -> &'a Context {
        self.ctx
    }

    /// Sends a request and reads the whole answer, whatever its status.
    pub fn send(&mut self, call: &Call<'_>) -> Result<Response> {
        Ok(self.open(call)?.whole()?)
    }

    /// Downloads: redirects are new requests without credentials, each checked by the host like any other.
    pub fn download(&mut self, call: &Call<'_>, doing: &str) -> Result<Stream> {
        let mut answer = self.open(call)?;
        for _ in 0..REDIRECTS_MAX {
            if !is_redirect(answer.status()) {
                return Ok(answer);
            }
            let location = answer.header("location").unwrap_or_default();
            let url = match location::read(location, &self.host, &call.path) {
                Location::Here(path) => self.url(&path),
                Location::Elsewhere { url, .. } => url,
            };
            answer = self.request(call, &url, None)?;
        }
        let message = format!("failed to {doing}: {} redirects more than {REDIRECTS_MAX} times", self.name);
        Err(Failure::permanent(REDIRECT, message))
    }

    /// What would let someone in.
    pub(super) fn who_could(&self) -> String {
        let registry = format!("registries.\"{}\"", self.name);
        match &self.identity {
            Identity::Anonymous => format!(
                "it wants to know who asks: set {registry}.username in the installation's configuration, and the \
                secret {PASSWORD}"
            ),
            Identity::Basic { user } => format!(
                "it does not know \"{user}\" by this password: check {registry} and the secret {PASSWORD}; where it \
                wants tokens, set auth to token"
            ),
            Identity::Token { user } => {
                format!("it does not let \"{user}\" in: check {registry} and the secret {PASSWORD}")
            }
        }
    }

    /// Sends a request; when the registry wants to know who asks, once more with the answer to that.
    fn open(&mut self, call: &Call<'_>) -> Result<Stream> {
        let url = self.url(&call.path);
        let answer = self.request(call, &url, self.authorization.as_deref())?;
        if answer.status() != 401 {
            return Ok(answer);
        }
        let Some(authorization) = self.authorize(&answer)? else { return Ok(answer) };
        self.authorization = Some(authorization);
        self.request(call, &url, self.authorization.as_deref())
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.host)
    }

    fn request(&self, call: &Call<'_>, url: &str, authorization: Option<&str>) -> Result<Stream> {
        if self.ctx.cancelled() {
            return Err(Failure::Cancelled);
        }
        let mut request = self.ctx.http().request(call.method, url).timeout(TIMEOUT);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        request = match call.body {
            Body::Empty => request,
            Body::Bytes(bytes) => request.body(bytes),
            Body::Piece { digest, offset, length } => {
                let reader = self.ctx.artifacts().open_at(digest.as_str(), offset)?;
                request.body_from(reader.take(length), length)
            }
        };
        Ok(request.send_streaming()?)
    }
}

const fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}
