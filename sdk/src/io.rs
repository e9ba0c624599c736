//! Failures that travel through `std::io`: an error of a reader or writer of this SDK keeps what it was.

use std::error::Error;
use std::io;

use crate::failure::Failure;
use crate::{artifacts, http, kv, secrets};

/// The code of an error of `std::io` that holds nothing more exact.
const CODE: &str = "io";

impl Failure {
    /// What a reader's or writer's error means: the typed failure that it holds, however deep (a denied artifact, an answer
    /// that broke off), else a permanent one with this code.
    ///
    /// ```
    /// use std::io::{Error, ErrorKind};
    /// use quantum_sdk::prelude::*;
    ///
    /// let short = Error::new(ErrorKind::UnexpectedEof, "the archive ends too early");
    /// let failure = Failure::from_io(short, "broken-archive");
    /// assert_eq!(failure.to_string(), "broken-archive: the archive ends too early");
    ///
    /// let busy = Error::other(Failure::retryable("busy", "try later"));
    /// assert!(Failure::from_io(Error::other(busy), "broken-archive").is_retryable());
    /// ```
    pub fn from_io(error: io::Error, code: &str) -> Self {
        typed(&error).unwrap_or_else(|| Self::permanent(code, error.to_string()))
    }
}

/// [`Failure::from_io`] with the code `io`.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::from_io(error, CODE)
    }
}

/// The typed failure that an error holds.
pub(crate) fn typed(outermost: &(dyn Error + 'static)) -> Option<Failure> {
    let mut next = Some(outermost);
    while let Some(error) = next {
        if let Some(failure) = known(error) {
            return Some(failure);
        }
        next = inner(error);
    }
    None
}

fn known(error: &(dyn Error + 'static)) -> Option<Failure> {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return Some(failure.clone());
    }
    if let Some(error) = error.downcast_ref::<artifacts::Error>() {
        return Some(error.clone().into());
    }
    if let Some(error) = error.downcast_ref::<http::Error>() {
        return Some(error.clone().into());
    }
    if let Some(error) = error.downcast_ref::<kv::Error>() {
        return Some(error.clone().into());
    }
    error.downcast_ref::<secrets::Error>().map(|error| error.clone().into())
}

/// The source of an `io::Error` is the source of what it holds, so that must be asked for itself.
fn inner<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|held| held as &(dyn Error + 'static)),
        None => error.source(),
    }
}
