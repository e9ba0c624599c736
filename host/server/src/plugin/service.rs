//! The service of a case: a loopback server that expects certain requests, in order, and gives the scripted answers.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::compare::difference;

/// One expected request and its answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    request: ExpectedRequest,
    answer: ScriptedAnswer,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedRequest {
    method: String,
    /// With the query.
    path: String,
    /// Only these are compared.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Compared as JSON when it is not a string; not compared when it is absent.
    #[serde(default)]
    body: Option<Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptedAnswer {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// A string is sent as text, anything else as JSON.
    #[serde(default)]
    body: Option<Value>,
}

/// Listens until it is dropped.
pub(super) struct Service {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Script {
    left: VecDeque<Exchange>,
    complaints: Vec<String>,
}

impl Service {
    /// Expects nothing yet.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let script = Arc::new(Mutex::new(Script::default()));
        let accepting = tokio::spawn(accept(listener, script.clone()));
        Ok(Self { address, script, accepting })
    }

    /// These, in this order.
    pub fn expect(&self, exchanges: Vec<Exchange>) {
        self.script().left.extend(exchanges);
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came otherwise than scripted, and what never came.
    pub fn complaints(&self) -> Vec<String> {
        let script = self.script();
        let missing = script
            .left
            .iter()
            .map(|e| format!("http.json: {} {} never came", e.request.method, e.request.path));
        script.complaints.iter().cloned().chain(missing).collect()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, script: Arc<Mutex<Script>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let script = script.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, &script));
            // A guest that goes away in the middle is the guest's business; what is missing is found afterwards.
            let _ = http1::Builder::new()
                .auto_date_header(false)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    script: &Mutex<Script>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|all| all.to_bytes()).unwrap_or_default();
    let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(exchange) = script.left.pop_front() else {
        script.complaints.push(format!("http.json: {} {} was not expected", parts.method, parts.uri));
        return Ok(failed());
    };
    if let Some(complaint) = exchange.request.compare(&parts, &body) {
        script.complaints.push(format!("http.json: {complaint}"));
        return Ok(failed());
    }
    Ok(exchange.answer.response().unwrap_or_else(|reason| {
        script.complaints.push(format!("http.json: the answer cannot be sent: {reason}"));
        failed()
    }))
}

/// 501: no plugin tries again because of it within its attempt, so the case ends soon.
fn failed() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
    response
}

impl ExpectedRequest {
    fn compare(&self, parts: &hyper::http::request::Parts, body: &[u8]) -> Option<String> {
        let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
        if (self.method.as_str(), self.path.as_str()) != (parts.method.as_str(), path) {
            return Some(format!("expected {} {}, got {} {path}", self.method, self.path, parts.method));
        }
        for (name, expected) in &self.headers {
            let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
            let Some(value) = value else {
                return Some(format!("{} {}: header {name} is missing", self.method, self.path));
            };
            if let Some(found) = difference(&Value::from(expected.as_str()), &Value::from(value)) {
                return Some(format!("{} {}: header {name}: {found}", self.method, self.path));
            }
        }
        let text = || Value::String(String::from_utf8_lossy(body).into_owned());
        let expected = self.body.as_ref()?;
        let actual = if expected.is_string() {
            text()
        } else {
            serde_json::from_slice(body).unwrap_or_else(|_| text())
        };
        difference(expected, &actual).map(|found| format!("{} {}: body {found}", self.method, self.path))
    }
}

impl ScriptedAnswer {
    fn response(&self) -> Result<Response<Full<Bytes>>, String> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        let (media_type, bytes) = match &self.body {
            None => return response.body(Full::default()).map_err(|error| error.to_string()),
            Some(Value::String(text)) => ("text/plain", text.clone()),
            Some(value) => ("application/json", value.to_string()),
        };
        if !self.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
            response = response.header("content-type", media_type);
        }
        response.body(Full::from(bytes)).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    /// The status of each request, and what the service complains of.
    async fn check(requests: &[&str]) -> (Vec<String>, Vec<String>) {
        let script = json!([{
            "request": { "method": "POST", "path": "/a?x=1", "headers": { "x-key": "<any>" }, "body": { "n": 1 } },
            "answer": { "status": 201, "body": { "made": true } },
        }]);
        let service = Service::start().await.unwrap();
        service.expect(serde_json::from_value(script).unwrap());
        let mut statuses = Vec::new();
        for head in requests {
            let mut stream = TcpStream::connect(service.address).await.unwrap();
            let request =
                format!("{head}\r\nhost: a\r\nconnection: close\r\ncontent-length: 7\r\n\r\n{{\"n\":1}}");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            statuses.push(answer[9..12].to_owned());
        }
        (statuses, service.complaints())
    }

    #[tokio::test]
    async fn a_request_as_scripted_gets_its_answer() {
        let (statuses, complaints) = check(&["POST /a?x=1 HTTP/1.1\r\nx-key: 7"]).await;
        assert_eq!((statuses.as_slice(), complaints.len()), (&["201".to_owned()][..], 0));
    }

    #[tokio::test]
    async fn another_request_one_too_many_and_one_too_few_are_complaints() {
        let (_, complaints) = check(&["GET /b HTTP/1.1"]).await;
        assert_eq!(complaints, ["http.json: expected POST /a?x=1, got GET /b"]);
        let (_, complaints) = check(&["POST /a?x=1 HTTP/1.1"]).await;
        assert_eq!(complaints, ["http.json: POST /a?x=1: header x-key is missing"]);
        let (statuses, complaints) = check(&["POST /a?x=1 HTTP/1.1\r\nx-key: 7", "GET / HTTP/1.1"]).await;
        assert_eq!(
            (statuses[1].as_str(), complaints.as_slice()),
            ("501", &["http.json: GET / was not expected".to_owned()][..])
        );
        assert_eq!(check(&[]).await.1, ["http.json: POST /a?x=1 never came"]);
    }
}
