//! How a bucket is reached: the client, its bounds, and where its credentials come from.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{HttpClient, HttpConnector};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use rustls::crypto::{CryptoProvider, aws_lc_rs};

use super::{Bucket, BucketAddress, Shared};
use crate::Error;

/// A server that is there accepts within it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a bucket is, and how long its answers may take. Without credentials: those come from the process's environment
/// (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and the others of AWS), or from the role of its machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketOptions {
    pub address: BucketAddress,
    /// URL of a store that is not AWS. None: AWS.
    pub endpoint: Option<String>,
    /// None: `AWS_REGION`, or us-east-1.
    pub region: Option<String>,
    /// The bucket in the path of URLs, and not in the name of the host.
    pub path_style: bool,
    /// Of one request, with its body: a part of an upload, or a piece of a download. After it, it is tried again.
    pub request_timeout: Duration,
    /// Times that one request is tried again, after pauses that grow from 0.1 s to 2 s.
    pub retries: usize,
    /// For tests, which must not change the environment: in the place of what it says.
    #[doc(hidden)]
    pub credentials: Option<(String, Secret)>,
}

/// Not shown.
#[doc(hidden)]
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl BucketOptions {
    pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
    pub const RETRIES: usize = 4;

    pub const fn new(address: BucketAddress) -> Self {
        Self {
            address,
            endpoint: None,
            region: None,
            path_style: false,
            request_timeout: Self::REQUEST_TIMEOUT,
            retries: Self::RETRIES,
            credentials: None,
        }
    }

    /// As errors name it.
    pub(super) fn place(&self) -> &str {
        self.endpoint.as_deref().unwrap_or("AWS")
    }
}

impl Bucket {
    /// Asks nobody yet. Err: `Bucket`, when the options or the environment cannot be.
    pub fn new(options: BucketOptions) -> Result<Self, Error> {
        let built = builder(&options).build();
        let store = built.map_err(|source| super::BucketError::new(&options, "prepare to use", source))?;
        Ok(Self { shared: Arc::new(Shared { store, options, found: Mutex::default() }) })
    }
}

fn builder(options: &BucketOptions) -> AmazonS3Builder {
    let BucketOptions { address, endpoint, region, path_style, .. } = options;
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(&address.bucket)
        .with_virtual_hosted_style_request(!path_style)
        .with_http_connector(Connector { request_timeout: options.request_timeout })
        .with_retry(RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(2),
                base: 2.0,
            },
            max_retries: options.retries,
            retry_timeout: options.request_timeout * 2,
        });
    if let Some(endpoint) = endpoint {
        // Of the two names that the environment may give it, this one wins.
        builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, reached(endpoint, address, *path_style));
    }
    if let Some(region) = region {
        builder = builder.with_region(region);
    }
    match &options.credentials {
        Some((id, Secret(secret))) => builder.with_access_key_id(id).with_secret_access_key(secret),
        None => builder,
    }
}

/// What the client asks: with the bucket in the name of the host, it takes that as a part of the endpoint.
fn reached(endpoint: &str, address: &BucketAddress, path_style: bool) -> String {
    let endpoint = endpoint.trim_end_matches('/');
    match endpoint.split_once("://") {
        Some((scheme, host)) if !path_style => format!("{scheme}://{}.{host}", address.bucket),
        _ => endpoint.to_owned(),
    }
}

/// One client for the bucket and for whoever gives credentials for it, with the one TLS of the process.
#[derive(Debug)]
struct Connector {
    request_timeout: Duration,
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        if CryptoProvider::get_default().is_none() {
            // Somebody else may have been first with the same.
            let _already = aws_lc_rs::default_provider().install_default();
        }
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT.min(self.request_timeout))
            .timeout(self.request_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build();
        client
            .map(HttpClient::new)
            .map_err(|source| object_store::Error::Generic { store: "S3", source: Box::new(source) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_is_in_the_path_or_in_the_name_of_the_host() {
        let address: BucketAddress = "s3://acme/x".parse().unwrap();
        assert_eq!(reached("https://s3.example:9000/", &address, true), "https://s3.example:9000");
        assert_eq!(reached("https://s3.example:9000/", &address, false), "https://acme.s3.example:9000");
    }

    #[test]
    fn credentials_are_not_shown() {
        let address = "s3://acme".parse().unwrap();
        let options = BucketOptions {
            credentials: Some(("id".into(), Secret("hidden".into()))),
            ..BucketOptions::new(address)
        };
        assert!(!format!("{options:?}").contains("hidden"));
    }
}
