//! An ordinary HTTP client, and what it gets back.

use std::sync::Once;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// No answer takes this long, unless the host hangs.
const ANSWER_MAX: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// A refusal: its status, code and text.
    #[track_caller]
    pub fn problem(&self) -> (u16, String, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let body = self.json();
        let word = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        (self.status, word("code"), word("detail"))
    }
}

impl Client {
    pub fn new(base: &str, token: &str) -> Self {
        static TLS: Once = Once::new();
        TLS.call_once(|| drop(rustls::crypto::aws_lc_rs::default_provider().install_default()));
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_MAX).build().unwrap();
        Self { http, base: base.to_owned(), token: token.to_owned() }
    }

    /// The same caller at another host.
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// Creates an intent and gives its id.
    pub async fn intent(&self, name: &str, definition: Value) -> String {
        let body = json!({ "name": name, "definition": definition });
        let created = self.post("/api/v1/intents", &body).await.is(201);
        created.json()["id"].as_str().unwrap().to_owned()
    }

    /// Starts an execution and gives its id.
    pub async fn execute(&self, intent: &str, input: &Value) -> String {
        let body = json!({ "input": input });
        let started = self.post(&format!("/api/v1/intents/{intent}/execute"), &body).await.is(202);
        started.json()["execution_id"].as_str().unwrap().to_owned()
    }

    /// Runs an execution to its end and gives it.
    pub async fn run(&self, intent: &str, input: &Value) -> Value {
        let path = format!("/api/v1/intents/{intent}/execute?wait=60s");
        self.post(&path, &json!({ "input": input })).await.is(200).json()
    }

    /// The ordered log, read as a stream to its end.
    pub async fn events(&self, execution: &str) -> Vec<Value> {
        let answer = self.get(&format!("/api/v1/executions/{execution}/events")).await.is(200);
        assert_eq!(answer.header("content-type"), "text/event-stream");
        logged(&answer.text)
    }

    /// Follows the log until it has so many events of this type.
    pub async fn until(&self, execution: &str, kind: &str, count: usize) {
        let path = format!("/api/v1/executions/{execution}/events");
        let mut stream = self.request(Method::GET, &path).send().await.unwrap();
        let (mut text, sought) = (String::new(), format!("\"type\":\"{kind}\""));
        while text.matches(&sought).count() < count {
            let chunk = stream.chunk().await.unwrap();
            let chunk = chunk.unwrap_or_else(|| panic!("the log ended without {count} {kind}: {text}"));
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    pub async fn upload(&self, query: &str, component: Vec<u8>) -> Answer {
        let request = self.request(Method::POST, &format!("/api/v1/installations?{query}"));
        send(request.header("Content-Type", "application/wasm").body(component)).await
    }
}

pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

/// The events of a stream that have a place in the log; lines of steps have none.
pub fn logged(stream: &str) -> Vec<Value> {
    let events = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = events.map(|data| serde_json::from_str::<Value>(data).unwrap());
    events.filter(|event| event.get("seq").is_some()).collect()
}

/// The `type` of each event.
pub fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}
