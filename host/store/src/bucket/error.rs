//! Why an object was not read or written, and what to do about it.

use std::error::Error as _;
use std::fmt;

use object_store::client::{HttpError, HttpErrorKind};

use super::BucketOptions;

/// `what: why; what to do`, with the client's own words as the source.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {address}: {trouble}")]
pub struct BucketError {
    doing: &'static str,
    address: String,
    pub trouble: Trouble,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// What is in the way, told apart by what mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    NoBucket,
    /// The object that was read is not there any more.
    Gone,
    /// The store does not know the credentials, or what they sign is wrong.
    Refused,
    /// It knows them, and they may not do it.
    Denied,
    NoCredentials,
    Clock,
    Region,
    Unreachable {
        endpoint: String,
    },
    TimedOut {
        endpoint: String,
    },
    Other,
}

impl BucketError {
    pub(super) fn new(options: &BucketOptions, doing: &'static str, source: object_store::Error) -> Self {
        let trouble = trouble(options, &source);
        Self { doing, address: options.address.to_string(), trouble, source: Box::new(source) }
    }

    /// Something came back that a store does not answer.
    pub(super) fn strange(options: &BucketOptions, doing: &'static str, what: String) -> Self {
        let address = options.address.to_string();
        Self { doing, address, trouble: Trouble::Other, source: what.into() }
    }
}

/// By the codes of the S3 API where the client keeps them: it tells some apart, and has the others in the text of its
/// error alone.
fn trouble(options: &BucketOptions, source: &object_store::Error) -> Trouble {
    let endpoint = || options.place().to_owned();
    match http_kind(source) {
        Some(_) if is_about_credentials(source) => return Trouble::NoCredentials,
        Some(HttpErrorKind::Timeout) => return Trouble::TimedOut { endpoint: endpoint() },
        // What came could not be understood, or there was an answer.
        Some(HttpErrorKind::Decode) | None => {}
        Some(_) => return Trouble::Unreachable { endpoint: endpoint() },
    }
    let text = source.to_string();
    let says = |codes: &[&str]| codes.iter().any(|code| text.contains(code));
    if says(&["NoSuchBucket"]) {
        Trouble::NoBucket
    } else if says(&["RequestTimeTooSkewed"]) {
        Trouble::Clock
    } else if says(&["InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"]) {
        Trouble::Refused
    } else if says(&["AuthorizationHeaderMalformed", "PermanentRedirect", "redirect without LOCATION"]) {
        Trouble::Region
    } else if is_about_credentials(source) {
        Trouble::NoCredentials
    } else {
        by_status(source)
    }
}

/// Answers that say nothing but their status: those to HEAD have no body.
fn by_status(source: &object_store::Error) -> Trouble {
    match source {
        object_store::Error::NotFound { .. } => Trouble::Gone,
        object_store::Error::PermissionDenied { .. } => Trouble::Denied,
        object_store::Error::Unauthenticated { .. } => Trouble::Refused,
        _ => Trouble::Other,
    }
}

fn http_kind(error: &object_store::Error) -> Option<HttpErrorKind> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(http) = cause.downcast_ref::<HttpError>() {
            return Some(http.kind());
        }
        source = cause.source();
    }
    None
}

/// The requests for credentials go to other servers, by which the client's errors are known.
fn is_about_credentials(error: &object_store::Error) -> bool {
    let text = error.to_string();
    [
        "169.254.169.254",
        "169.254.170.2",
        "AssumeRoleWithWebIdentity",
        "metadata/iam",
        "Missing SecretAccessKey",
    ]
    .iter()
    .any(|sign| text.contains(sign))
        || text.contains("Missing AccessKeyId")
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBucket => f.write_str("there is no such bucket; make it, or name another with --blobs"),
            Self::Gone => f.write_str("the object is not there any more; restore it from a backup, or write it again"),
            Self::Refused => f.write_str(
                "the object store refuses the credentials; see AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and \
                 AWS_SESSION_TOKEN of the host's environment",
            ),
            Self::Denied => f.write_str(
                "the credentials may not do that; allow them s3:GetObject, s3:PutObject, s3:DeleteObject and \
                 s3:AbortMultipartUpload on its objects, and s3:ListBucket on the bucket",
            ),
            Self::NoCredentials => f.write_str(
                "no credentials were found; give the host AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or its machine a \
                 role",
            ),
            Self::Clock => f.write_str("the clock of this machine is more than 15 minutes wrong; set it right"),
            Self::Region => f.write_str("the bucket is in another region; name it as blob_store.region or AWS_REGION"),
            Self::Unreachable { endpoint } => write!(
                f,
                "the object store at {endpoint} cannot be reached; see blob_store.endpoint, and the network between"
            ),
            Self::TimedOut { endpoint } => write!(
                f,
                "the object store at {endpoint} does not answer in time; see the network between, or give it more with \
                 blob_store.timeout_ms"
            ),
            Self::Other => f.write_str("the object store answered with an error"),
        }
    }
}
