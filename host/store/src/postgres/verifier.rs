//! A password as the server keeps it, made here (SCRAM-SHA-256, RFC 5802 and 7677): what is sent tells nobody the
//! password, who reads the server's log or looks at its statements.

use std::num::NonZeroU32;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
use aws_lc_rs::rand;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use stringprep::saslprep;

use crate::Error;

/// As many as the server makes by itself.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).unwrap();
const SALT_BYTES: usize = 16;

/// Err: `Password`.
pub(super) fn verifier(password: &str) -> Result<String, Error> {
    let mut salt = [0; SALT_BYTES];
    rand::fill(&mut salt)
        .map_err(|_| Error::Password { reason: "the system gives no random numbers".to_owned() })?;
    salted(password, &salt)
}

fn salted(password: &str, salt: &[u8]) -> Result<String, Error> {
    let refused = |_| {
        let reason = "it has a control character, or another one that no password may have".to_owned();
        Error::Password { reason }
    };
    let prepared = saslprep(password).map_err(refused)?;
    let mut key = [0; 32];
    derive(PBKDF2_HMAC_SHA256, ITERATIONS, salt, prepared.as_bytes(), &mut key);
    let key = Key::new(HMAC_SHA256, &key);
    let stored = digest(&SHA256, sign(&key, b"Client Key").as_ref());
    let server = sign(&key, b"Server Key");
    let [salt, stored, server] =
        [salt, stored.as_ref(), server.as_ref()].map(|bytes| BASE64_STANDARD.encode(bytes));
    Ok(format!("SCRAM-SHA-256${ITERATIONS}:{salt}${stored}:{server}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the exchange that RFC 7677 shows.
    #[test]
    fn a_verifier_is_that_of_the_standard() {
        let salt = BASE64_STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        assert_eq!(
            salted("pencil", &salt).unwrap(),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
             wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }

    #[test]
    fn the_same_password_never_looks_the_same() {
        assert_ne!(verifier("pencil").unwrap(), verifier("pencil").unwrap());
    }

    #[test]
    fn characters_that_look_alike_are_the_same() {
        assert_eq!(salted("\u{fb01}ne", b"salt").unwrap(), salted("fine", b"salt").unwrap());
    }

    #[test]
    fn what_no_password_may_have_is_refused() {
        let refused = salted("a\u{7}", b"salt").unwrap_err();
        let told = "set the password of the login: it has a control character, or another one that no password may have";
        assert_eq!(refused.to_string(), told);
    }
}
