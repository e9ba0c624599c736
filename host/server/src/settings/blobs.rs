//! The bucket that the settings name.

use std::time::Duration;

use quantum_store::BucketOptions;
use url::Url;

use super::file::{BlobStoreFile, FileError, SettingsFile};

/// As AWS's own programs have it; the first one wins.
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];

/// None: there is none. `given` is what a flag says.
pub(super) fn bucket(file: &SettingsFile, given: Option<String>) -> Result<Option<BucketOptions>, FileError> {
    let Some(address) = given.or_else(|| file.blobs.clone()) else { return Ok(None) };
    let BlobStoreFile { endpoint, region, path_style, timeout_ms } = file.blob_store.clone();
    let from_environment = || ENDPOINTS.iter().find_map(|name| std::env::var(name).ok());
    let endpoint = endpoint.or_else(from_environment).map(|text| checked(&text)).transpose()?;
    let defaults = BucketOptions::new(address.parse()?);
    Ok(Some(BucketOptions {
        path_style: path_style.unwrap_or(endpoint.is_some()),
        endpoint,
        region,
        request_timeout: timeout_ms.map_or(defaults.request_timeout, Duration::from_millis),
        ..defaults
    }))
}

/// What is told and logged has no password in it.
fn checked(text: &str) -> Result<String, FileError> {
    let url = Url::parse(text).map_err(|_| FileError::BlobEndpoint)?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_plain || url.path() != "/" {
        return Err(FileError::BlobEndpoint);
    }
    Ok(text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Option<BucketOptions>, String> {
        let file: SettingsFile = toml::from_str(text).map_err(|error: toml::de::Error| error.to_string())?;
        bucket(&file, None).map_err(|error| crate::chain(&error))
    }

    #[test]
    fn a_bucket_is_at_aws_or_at_an_endpoint() {
        assert_eq!(check("").unwrap(), None);
        let found =
            check("blobs = \"s3://acme/x\"\n[blob_store]\nregion = \"eu-central-1\"").unwrap().unwrap();
        assert_eq!((found.address.to_string().as_str(), found.path_style), ("s3://acme/x", false));
        assert_eq!(found.region.as_deref(), Some("eu-central-1"));
        let found = check(
            "blobs = \"s3://acme\"\n[blob_store]\nendpoint = \"https://minio.example:9000/\"\ntimeout_ms = 1500",
        );
        let found = found.unwrap().unwrap();
        assert_eq!(found.endpoint.as_deref(), Some("https://minio.example:9000"));
        assert_eq!((found.path_style, found.request_timeout), (true, Duration::from_millis(1_500)));
    }

    #[test]
    fn what_cannot_be_is_refused_and_says_what_can() {
        let error = check("blobs = \"/srv/blobs\"").unwrap_err();
        assert!(error.contains("s3://BUCKET/PREFIX"), "{error}");
        for endpoint in
            ["minio:9000", "ftp://x", "https://key:secret@x", "https://x/bucket", "https://x/?a=secret"]
        {
            let error = check(&format!("blobs = \"s3://acme\"\n[blob_store]\nendpoint = {endpoint:?}"));
            let error = error.unwrap_err();
            assert!(error.contains("https://HOST:PORT") && !error.contains("secret"), "{error}");
        }
        let error = check("[blob_store]\nsecret_access_key = \"x\"").unwrap_err();
        assert!(error.contains("unknown field"), "{error}");
    }
}
