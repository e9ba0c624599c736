//! HTTP to a host, as the command line speaks it.

use std::time::Duration;

use reqwest::{Body, Method, Response};
use serde_json::{Value, json};

use super::error::CliError;
use super::{Context, local};

/// Beyond it a host that took the connection is given up. Streams are not bounded.
const ANSWER_MAX: Duration = Duration::from_secs(90);

pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
    tenant: Option<String>,
}

/// An answer that is not a refusal.
pub(crate) struct Answer {
    pub etag: Option<String>,
    pub body: Value,
}

impl Client {
    /// As the caller of the context, acting in a tenant.
    pub async fn in_tenant(context: &Context) -> Result<Self, CliError> {
        if context.token.is_some() {
            return Self::new(context, None, context.tenant.clone());
        }
        let tenant = match &context.tenant {
            Some(tenant) => tenant.clone(),
            None => Self::platform(context)?.only_tenant().await?,
        };
        Self::new(context, Some(local::member_token(&tenant)?), Some(tenant))
    }

    /// As the caller of the context, acting on the platform.
    pub fn platform(context: &Context) -> Result<Self, CliError> {
        match context.token {
            Some(_) => Self::new(context, None, None),
            None => Self::new(context, Some(local::platform_token()?), None),
        }
    }

    fn new(context: &Context, token: Option<String>, tenant: Option<String>) -> Result<Self, CliError> {
        let unable = |source| CliError::NoAnswer { url: context.url.clone(), source };
        let http =
            reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).build().map_err(unable)?;
        let token = token.or_else(|| context.token.clone()).unwrap_or_default();
        Ok(Self { http, base: context.url.trim_end_matches('/').to_owned(), token, tenant })
    }

    async fn only_tenant(&self) -> Result<String, CliError> {
        let answer = self.get("/api/v1/tenants").await?;
        let items = answer.body.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let names: Vec<&str> = items.iter().filter_map(|tenant| tenant.get("id")?.as_str()).collect();
        match names.as_slice() {
            [only] => Ok((*only).to_owned()),
            [] => Err(CliError::Usage(
                "there is no tenant yet; create one with: quantum tenant create NAME".into(),
            )),
            many => Err(CliError::Usage(format!("say which tenant with --tenant: {}", many.join(", ")))),
        }
    }

    pub async fn get(&self, path: &str) -> Result<Answer, CliError> {
        self.send(Method::GET, path, None, None).await
    }

    /// None: 404.
    pub async fn find(&self, path: &str) -> Result<Option<Answer>, CliError> {
        match self.get(path).await {
            Ok(answer) => Ok(Some(answer)),
            Err(CliError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, CliError> {
        self.send(Method::POST, path, Some(body), None).await
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        if_match: Option<&str>,
    ) -> Result<Answer, CliError> {
        let mut request = self.request(method, path).timeout(ANSWER_MAX);
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(etag) = if_match {
            request = request.header("If-Match", etag);
        }
        read(self.checked(request).await?).await
    }

    /// Sends bytes that are no JSON.
    pub async fn upload(&self, path: &str, media_type: &str, bytes: Body) -> Result<Answer, CliError> {
        let request = self.request(Method::POST, path).header("Content-Type", media_type).body(bytes);
        read(self.checked(request).await?).await
    }

    /// Bytes that are no JSON, as they come.
    pub async fn download(&self, path: &str) -> Result<Response, CliError> {
        self.checked(self.request(Method::GET, path)).await
    }

    /// The same, whole.
    pub async fn bytes(&self, path: &str) -> Result<Vec<u8>, CliError> {
        let bytes = self.download(path).await?.bytes().await;
        bytes.map(Into::into).map_err(|error| CliError::Answer { what: error.to_string() })
    }

    pub async fn delete(&self, path: &str) -> Result<Answer, CliError> {
        self.send(Method::DELETE, path, None, None).await
    }

    /// An event stream from the beginning.
    pub async fn stream(&self, path: &str) -> Result<Response, CliError> {
        self.checked(self.request(Method::GET, path).header("Accept", "text/event-stream")).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        match &self.tenant {
            Some(tenant) => request.header("X-Tenant-ID", tenant),
            None => request,
        }
    }

    async fn checked(&self, request: reqwest::RequestBuilder) -> Result<Response, CliError> {
        let unreachable = |source| CliError::NoAnswer { url: self.base.clone(), source };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let fallback = json!({ "title": format!("the host answered {status}") });
        let problem = response.json::<Value>().await.unwrap_or(fallback);
        Err(CliError::Refused { status: status.as_u16(), problem })
    }
}

async fn read(response: Response) -> Result<Answer, CliError> {
    let etag = response.headers().get("ETag").and_then(|etag| etag.to_str().ok()).map(str::to_owned);
    let text = response.text().await.map_err(|error| CliError::Answer { what: error.to_string() })?;
    let body = if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text) };
    let body = body.map_err(|error| CliError::Answer { what: error.to_string() })?;
    Ok(Answer { etag, body })
}

/// A name as one segment of a path.
pub(crate) fn segment(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
