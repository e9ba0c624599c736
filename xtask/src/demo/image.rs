//! An image as a client gets it that knows nothing of who pushed it: every byte against its digest.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::http::{Answer, Request, send};
use crate::standin::{Account, Digest, basic};

/// What a registry has under a name.
pub struct Image {
    pub digest: Digest,
    pub manifest: Value,
    /// Digest and size of the configuration and of each layer.
    pub blobs: Vec<(Digest, usize)>,
}

/// Pulls all of it. Err: something is not there, or is not what its digest says.
pub fn pull(url: &str, account: &Account, repository: &str, reference: &str) -> Result<Image> {
    let mut client = Puller { url, bearer: String::new() };
    let path = format!("/v2/{repository}/manifests/{reference}");
    client.identify(account, &client.get(&path, "")?)?;
    let answer = client.found(&path)?;
    let digest = Digest::of(&answer.body);
    if answer.header("docker-content-digest") != Some(digest.to_string().as_str()) {
        return Err(Error::demo(format!("the manifest {digest}"), "the registry calls it otherwise"));
    }
    let manifest: Value = serde_json::from_slice(&answer.body)?;
    let layers = manifest.get("layers").and_then(Value::as_array).into_iter().flatten();
    let mut blobs = Vec::new();
    for descriptor in manifest.get("config").into_iter().chain(layers) {
        blobs.push(client.blob(repository, descriptor)?);
    }
    Ok(Image { digest, manifest, blobs })
}

struct Puller<'a> {
    url: &'a str,
    bearer: String,
}

impl Puller<'_> {
    fn get(&self, path: &str, authorization: &str) -> Result<Answer> {
        let identity = (!authorization.is_empty()).then_some(("authorization", authorization));
        let headers: Vec<_> = identity.into_iter().chain([("accept", "*/*")]).collect();
        send(self.url, Request { method: "GET", path, headers: &headers, body: "" })
    }

    /// Gets the token that the registry asks for: `Bearer realm="…",service="…",scope="…"`.
    fn identify(&mut self, account: &Account, refused: &Answer) -> Result<()> {
        let challenge = refused.header("www-authenticate").unwrap_or_default();
        let part = |name: &str| {
            let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
            rest.split('"').next()
        };
        let (Some(realm), Some(service), Some(scope)) = (part("realm"), part("service"), part("scope"))
        else {
            return Err(Error::demo(
                "a registry that asks for a token",
                format!("it asks for \"{challenge}\""),
            ));
        };
        let path = realm.strip_prefix(self.url).unwrap_or(realm);
        let path = format!("{path}?service={service}&scope={scope}");
        let answer = self.get(&path, &format!("Basic {}", basic(&account.user, &account.password)))?;
        let body: Value = serde_json::from_slice(&answer.body)?;
        self.bearer = format!("Bearer {}", body.get("token").and_then(Value::as_str).unwrap_or_default());
        Ok(())
    }

    fn found(&self, path: &str) -> Result<Answer> {
        let answer = self.get(path, &self.bearer)?;
        match answer.status {
            200 => Ok(answer),
            status => {
                Err(Error::demo(format!("200 for {path}"), format!("it is {status}: {}", answer.text())))
            }
        }
    }

    fn blob(&self, repository: &str, descriptor: &Value) -> Result<(Digest, usize)> {
        let named = descriptor.get("digest").and_then(Value::as_str).unwrap_or_default();
        let bytes = self.found(&format!("/v2/{repository}/blobs/{named}"))?.body;
        let (digest, size) = (Digest::of(&bytes), bytes.len());
        let told = descriptor.get("size").and_then(Value::as_u64);
        if digest.to_string() == named && told == Some(size as u64) {
            return Ok((digest, size));
        }
        Err(Error::demo(format!("the blob {descriptor}"), format!("its {size} bytes are {digest}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::{Reply, Server};

    /// What a registry answers that says `digest` of its manifest and has `blob` for its only one.
    fn pulled(digest: Option<&str>, blob: &str) -> Result<Image> {
        let layer = json!({ "digest": Digest::of(b"layer").to_string(), "size": 5 });
        let manifest = json!({ "schemaVersion": 2, "layers": [layer] }).to_string();
        let digest = digest.map_or_else(|| Digest::of(manifest.as_bytes()).to_string(), str::to_owned);
        let blob = blob.as_bytes().to_vec();
        let (listener, url) = Server::bind().unwrap();
        let challenge = format!("Bearer realm=\"{url}/token\",service=\"s\",scope=\"repository:a:pull\"");
        let server = Server::start(listener, move |request| match request.path.as_str() {
            "/token" => Reply::json(200, &json!({ "token": "t0k3n" })),
            _ if request.authorization() != Some(("bearer".to_owned(), "t0k3n")) => {
                Reply::empty(401).header("www-authenticate", challenge.as_str())
            }
            "/v2/a/manifests/1" => {
                let body = manifest.clone().into_bytes();
                Reply::bytes(200, "text/plain", body).header("docker-content-digest", digest.as_str())
            }
            _ => Reply::bytes(200, "text/plain", blob.clone()),
        });
        let _server = server.unwrap();
        pull(&url, &Account { user: "ci".to_owned(), password: "s3cret".to_owned() }, "a", "1")
    }

    #[test]
    fn bytes_that_are_not_what_their_digest_says_are_seen() {
        assert_eq!(pulled(None, "layer").unwrap().blobs, [(Digest::of(b"layer"), 5)]);
        for (digest, blob) in [(None, "other"), (None, "layer and more"), (Some("sha256:0"), "layer")] {
            assert!(pulled(digest, blob).is_err(), "{digest:?} {blob}");
        }
    }
}
