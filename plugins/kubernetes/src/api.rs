//! The client of the cluster's API: one request, its answer as an object, or a typed failure.

use std::time::Duration;

use quantum_sdk::http::{Error, ErrorKind, Request, Stream};
use quantum_sdk::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::object::read;
use crate::settings::{Auth, Settings};
use crate::status;

/// Server-side apply; JSON is YAML.
const APPLY: &str = "application/apply-patch+yaml";
/// JSON Merge Patch (RFC 7396).
const MERGE: &str = "application/merge-patch+json";
/// A whole object.
const OBJECT: &str = "application/json";

/// A cluster, and who asks it.
#[derive(Debug)]
pub struct Cluster<'a> {
    pub ctx: &'a Context,
    server: &'a str,
    authorization: Option<String>,
}

impl<'a> Cluster<'a> {
    /// Connects to nothing yet. Err: the secret is not there or not granted.
    pub fn new(ctx: &'a Context, settings: &'a Settings) -> Result<Self> {
        let authorization = match settings.auth {
            Auth::Token => Some(ctx.secret("KUBERNETES_TOKEN")?.bearer()),
            Auth::None => None,
        };
        Ok(Self { ctx, server: &settings.server, authorization })
    }

    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        read(&self.answer(self.request("GET", path))?)
    }

    /// Server-side apply of these fields.
    pub fn apply<T: DeserializeOwned>(&self, path: &str, fields: &Value) -> Result<T> {
        read(&self.answer(self.request("PATCH", path).header("content-type", APPLY).json(fields))?)
    }

    /// Merges these fields, whoever owns them.
    pub fn merge(&self, path: &str, fields: &Value) -> Result<Value> {
        self.answer(self.request("PATCH", path).header("content-type", MERGE).json(fields))
    }

    /// Puts a whole object in place of the one that has its `resourceVersion`.
    pub fn replace<T: DeserializeOwned>(&self, path: &str, object: &Value) -> Result<T> {
        read(&self.answer(self.request("PUT", path).header("content-type", OBJECT).json(object))?)
    }

    /// An answer that comes bit by bit; `timeout` is the longest silence. The status is the caller's to judge.
    pub fn stream(&self, path: &str, timeout: Duration) -> Result<Stream> {
        self.request("GET", path).timeout(timeout).send_streaming().map_err(|error| self.unreached(error))
    }

    fn request(&self, method: &str, path: &str) -> Request<'a> {
        let request = self.ctx.http().request(method, format!("{}{path}", self.server));
        let request = request.header("accept", OBJECT);
        match &self.authorization {
            Some(authorization) => request.header("authorization", authorization.as_str()),
            None => request,
        }
    }

    fn answer(&self, request: Request<'_>) -> Result<Value> {
        let response = request.send().map_err(|error| self.unreached(error))?;
        if response.status() >= 300 {
            return Err(status::failure(&response));
        }
        response.json().map_err(|error| status::not_kubernetes(&error.to_string()))
    }

    /// A certificate that nobody knows is no fault of the network: it stays until the installation names its CA.
    fn unreached(&self, error: Error) -> Failure {
        if error.kind() != ErrorKind::Tls {
            return error.into();
        }
        let host = self.server.split_once("://").map_or(self.server, |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or(host);
        let message = format!(
            "{error}; a cluster mostly has a CA of its own: give its certificate as endpoints.\"{host}\".ca in the \
             installation's settings"
        );
        Failure::permanent("cluster-tls", message)
    }
}
