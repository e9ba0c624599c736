//! A token's outside: length, shape, header, signature. The order is the protection: nothing later is looked at before
//! what stands earlier holds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::claims::Claims;
use super::issuer::{Issuers, Key};
use crate::codes;
use crate::json;
use crate::problem::Problem;

/// Bytes of a token. Ours have 500; over it nothing is decoded.
const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Characters of a key's id.
const KID_CHARS_MAX: usize = 128;
/// Headers that would have the token choose its own key, or change what its signature means.
const REFUSED_HEADERS: [&str; 7] = ["crit", "jku", "x5u", "jwk", "x5c", "b64", "zip"];

/// What a token says whose signature holds. Everything is checked but the times and the membership.
pub(super) fn verify(token: &str, issuers: &Issuers) -> Result<Claims, Problem> {
    let (message, signature) = split(token)?;
    let (header, payload) =
        message.split_once('.').ok_or_else(|| malformed("it does not have three parts"))?;
    let header = decode_part(header)?;
    let claims = decode_part(payload)?;
    check_header(&header)?;
    let key = choose_key(&header, &claims, issuers)?;
    if algorithm(&header) != Some(key.algorithm) {
        return Err(invalid());
    }
    let holds = jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key.decoding, key.algorithm);
    if !holds.unwrap_or(false) {
        return Err(invalid());
    }
    Claims::read(&claims, key)
}

fn split(token: &str) -> Result<(&str, &str), Problem> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(malformed("it is longer than 8 KiB"));
    }
    let parts: Vec<&str> = token.split('.').collect();
    let plain = |part: &&str| part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if parts.len() != 3 || parts.iter().any(|part| part.is_empty()) || !parts.iter().all(plain) {
        return Err(malformed("it is not three parts of base64url"));
    }
    token.rsplit_once('.').ok_or_else(|| malformed("it does not have three parts"))
}

fn decode_part(part: &str) -> Result<Value, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed("a part is not base64url"))?;
    let value = json::parse(&bytes).map_err(|_| malformed("a part is not JSON with each key once"))?;
    if value.is_object() { Ok(value) } else { Err(malformed("a part is not a JSON object")) }
}

fn check_header(header: &Value) -> Result<(), Problem> {
    if REFUSED_HEADERS.iter().any(|name| header.get(name).is_some()) {
        return Err(invalid());
    }
    let typ = header.get("typ").map(|typ| typ.as_str().unwrap_or_default().to_ascii_lowercase());
    match typ.as_deref() {
        None | Some("jwt" | "at+jwt") => Ok(()),
        Some(_) => Err(invalid()),
    }
}

/// The claimed issuer only selects among the configured ones; the key's id is compared, never looked up elsewhere.
fn choose_key<'k>(header: &Value, claims: &Value, issuers: &'k Issuers) -> Result<&'k Key, Problem> {
    let issuer = match claims.get("iss") {
        None => None,
        Some(Value::String(issuer)) => Some(issuer.as_str()),
        Some(_) => return Err(invalid()),
    };
    let kid = match header.get("kid") {
        None => None,
        Some(Value::String(kid)) if is_kid(kid) => Some(kid.as_str()),
        Some(_) => return Err(invalid()),
    };
    let key = issuers.find(issuer).ok_or_else(invalid)?;
    if key.kid.as_deref() == kid { Ok(key) } else { Err(invalid()) }
}

fn is_kid(kid: &str) -> bool {
    (1..=KID_CHARS_MAX).contains(&kid.len())
        && kid.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// Spelt exactly; everything else is no algorithm.
fn algorithm(header: &Value) -> Option<Algorithm> {
    match header.get("alg")?.as_str()? {
        "EdDSA" => Some(Algorithm::EdDSA),
        "HS256" => Some(Algorithm::HS256),
        _ => None,
    }
}

fn malformed(why: &str) -> Problem {
    Problem::new(&codes::TOKEN_MALFORMED).detail(format!("the token cannot be read: {why}"))
}

/// One text for all: a forger learns nothing from it.
fn invalid() -> Problem {
    Problem::new(&codes::TOKEN_INVALID)
        .detail("the token was not made for this host by an issuer that it trusts")
}
