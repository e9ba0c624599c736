//! Sending blobs and manifests. What is there already is not sent again, so a push can be repeated at any point.

use quantum_sdk::http::Response;
use quantum_sdk::prelude::*;

use super::client::{Body, Call, Client};
use super::location::{self, Location};
use super::refusal::{MISMATCH, REDIRECT};
use crate::digest::Digest;
use crate::image::Descriptor;

/// Pieces of one upload after which the registry has no more than before, or less. With that many the attempt fails: an
/// upload that goes back and forth would never end.
const STALLS_MAX: usize = 5;
const OCTETS: &str = "application/octet-stream";

/// Where blobs go, and how.
#[derive(Debug, Clone)]
pub struct Target {
    pub repository: String,
    /// Bytes of a piece; what is not larger is sent whole.
    pub chunk_bytes: u64,
    /// A repository of the same registry that may have them.
    pub mount_from: Option<String>,
}

/// What became of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was there, or in the other repository.
    Reused,
    Sent,
}

/// `sent` is told how many bytes of the blob arrived, each time that more did.
pub fn put_blob(
    client: &mut Client<'_>,
    target: &Target,
    blob: &Descriptor,
    sent: &mut dyn FnMut(u64),
) -> Result<Put> {
    if exists(client, target, blob)? {
        return Ok(Put::Reused);
    }
    let Some(mut upload) = Upload::start(client, target, blob)? else { return Ok(Put::Reused) };
    if blob.size <= upload.chunk_bytes {
        upload.whole()?;
    } else {
        upload.in_chunks(sent)?;
    }
    sent(blob.size);
    Ok(Put::Sent)
}

/// The exact bytes, under a tag or their digest.
pub fn put_manifest(
    client: &mut Client<'_>,
    repository: &str,
    version: &str,
    media_type: &str,
    bytes: &[u8],
) -> Result<()> {
    let doing = format!("push the manifest {repository}:{version}");
    let path = format!("/v2/{repository}/manifests/{version}");
    let call = Call::new("PUT", path).header("content-type", media_type).body(Body::Bytes(bytes));
    let answer = client.send(&call)?;
    if answer.status() != 201 {
        return Err(client.refused(&answer, &doing));
    }
    check_digest(client, &answer, &Digest::of(bytes), &doing)
}

fn exists(client: &mut Client<'_>, target: &Target, blob: &Descriptor) -> Result<bool> {
    let doing = format!("look for the blob {}", blob.digest);
    let call = Call::new("HEAD", format!("/v2/{}/blobs/{}", target.repository, blob.digest));
    let answer = client.download(&call, &doing)?.whole()?;
    match answer.status() {
        200 => Ok(true),
        404 => Ok(false),
        _ => Err(client.refused(&answer, &doing)),
    }
}

/// An upload that the registry has opened.
struct Upload<'u, 'a> {
    client: &'u mut Client<'a>,
    blob: &'u Descriptor,
    doing: String,
    /// Where the next request goes: path and query.
    path: String,
    /// The other host that the registry named.
    elsewhere: Option<String>,
    chunk_bytes: u64,
}

impl<'u, 'a> Upload<'u, 'a> {
    /// None: the registry took the blob from its other repository.
    fn start(client: &'u mut Client<'a>, target: &Target, blob: &'u Descriptor) -> Result<Option<Self>> {
        let doing = format!("push the blob {}", blob.digest);
        let path = format!("/v2/{}/blobs/uploads/", target.repository);
        let mut answer = None;
        if let Some(from) = &target.mount_from {
            let mounted =
                client.send(&Call::new("POST", format!("{path}?mount={}&from={from}", blob.digest)))?;
            match mounted.status() {
                201 => return Ok(None),
                202 => answer = Some(mounted),
                // Whatever stands against it does not stand against sending the bytes.
                _ => {}
            }
        }
        let answer = match answer {
            Some(answer) => answer,
            None => client.send(&Call::new("POST", path.as_str()))?,
        };
        if answer.status() != 202 {
            return Err(client.refused(&answer, &doing));
        }
        let chunk_min = answer.header("oci-chunk-min-length").and_then(|text| text.trim().parse().ok());
        let chunk_bytes = target.chunk_bytes.max(chunk_min.unwrap_or(0));
        let mut upload = Self { client, blob, doing, path, elsewhere: None, chunk_bytes };
        if !upload.go_on(&answer) {
            return Err(upload.client.misunderstood(&upload.doing, "without a Location for the upload"));
        }
        Ok(Some(upload))
    }

    fn whole(&mut self) -> Result<()> {
        let length = self.blob.size;
        let body = if length == 0 { Body::Empty } else { self.piece(0, length) };
        self.commit(body)
    }

    fn in_chunks(&mut self, sent: &mut dyn FnMut(u64)) -> Result<()> {
        let (mut offset, mut stalls) = (0, 0);
        while offset < self.blob.size {
            let length = self.chunk_bytes.min(self.blob.size - offset);
            let next = self.chunk(offset, length)?;
            stalls += usize::from(next <= offset);
            if stalls >= STALLS_MAX {
                let message = format!("failed to {}: the registry stays at byte {next}", self.doing);
                return Err(Failure::retryable("registry-stalled", message));
            }
            offset = next;
            sent(offset);
        }
        self.commit(Body::Empty)
    }

    /// How many bytes the registry has afterwards.
    fn chunk(&mut self, offset: u64, length: u64) -> Result<u64> {
        let last = offset + length - 1;
        let call = Call::new("PATCH", self.path.as_str())
            .header("content-type", OCTETS)
            .header("content-range", format!("{offset}-{last}"))
            .body(self.piece(offset, length));
        let answer = self.client.send(&call)?;
        match answer.status() {
            202 => {
                self.go_on(&answer);
                self.received(&answer, offset + length, offset + length)
            }
            416 => self.ask(&answer, offset + length),
            _ => Err(self.refused(&answer)),
        }
    }

    /// After a piece that does not continue what the registry has.
    fn ask(&mut self, refused: &Response, most: u64) -> Result<u64> {
        let answer = self.client.send(&Call::new("GET", self.path.as_str()))?;
        if !matches!(answer.status(), 200 | 204) {
            return Err(self.refused(refused));
        }
        self.go_on(&answer);
        self.received(&answer, 0, most)
    }

    fn commit(&mut self, body: Body<'u>) -> Result<()> {
        let separator = if self.path.contains('?') { '&' } else { '?' };
        let path = format!("{}{separator}digest={}", self.path, self.blob.digest);
        let call = Call::new("PUT", path).header("content-type", OCTETS).body(body);
        let answer = self.client.send(&call)?;
        match answer.status() {
            201 | 204 => check_digest(self.client, &answer, &self.blob.digest, &self.doing),
            _ => Err(self.refused(&answer)),
        }
    }

    fn piece(&self, offset: u64, length: u64) -> Body<'u> {
        Body::Piece { digest: &self.blob.digest, offset, length }
    }

    /// Takes the address of the next request. Whether there is one.
    ///
    /// Only path and query count, whichever host stands before them: a registry behind the host's endpoint override
    /// answers with its own local address. That is safe, since the request goes to the registry that the installer allowed
    /// and the host checks, and neither bytes nor credentials follow an address to anywhere else. A registry that really
    /// meant another host does not know the path itself; `refused` says so then.
    fn go_on(&mut self, answer: &Response) -> bool {
        let Some(location) = answer.header("location").filter(|location| !location.is_empty()) else {
            return false;
        };
        let location = location::read(location, &self.client.host, &self.path);
        location.path().clone_into(&mut self.path);
        self.elsewhere = match location {
            Location::Here(_) => None,
            Location::Elsewhere { host, .. } => Some(host),
        };
        true
    }

    /// From `Range: 0-1023`; without it, what `usual` says.
    fn received(&self, answer: &Response, usual: u64, most: u64) -> Result<u64> {
        let Some(range) = answer.header("range") else { return Ok(usual) };
        let last = range.trim().trim_start_matches("bytes=").split_once('-');
        let received = last.and_then(|(_, last)| last.trim().parse::<u64>().ok()?.checked_add(1));
        match received {
            Some(received) if received <= most => Ok(received),
            _ => Err(self.client.misunderstood(&self.doing, &format!("with the Range \"{range}\""))),
        }
    }

    fn refused(&self, answer: &Response) -> Failure {
        match (answer.status(), &self.elsewhere) {
            (404, Some(host)) => {
                let message = format!(
                    "failed to {}: {} sends the upload to {host}, and uploads go to the registry itself and nowhere \
                    else; push to {host} as the registry if that is one",
                    self.doing,
                    self.client.name()
                );
                Failure::permanent(REDIRECT, message)
            }
            (404, None) => {
                let message = format!("failed to {}: {} lost the upload", self.doing, self.client.name());
                Failure::retryable("registry-upload-lost", message)
            }
            _ => self.client.refused(answer, &self.doing),
        }
    }
}

/// What the registry says that it stored.
fn check_digest(client: &Client<'_>, answer: &Response, expected: &Digest, doing: &str) -> Result<()> {
    match answer.header("docker-content-digest") {
        Some(told) if told != expected.as_str() => {
            let name = client.name();
            let message = format!("failed to {doing}: {name} stored it as {told} and not as {expected}");
            Err(Failure::permanent(MISMATCH, message))
        }
        _ => Ok(()),
    }
}
