//! What a verified token says, typed. A claim of the wrong type refuses the token: it is not skipped.

use std::collections::BTreeSet;

use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::port::PrincipalKind;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{AuthMethod, Role};
use serde_json::Value;

use super::embedded::LIFETIME_MS_MAX;
use super::issuer::Key;
use crate::codes;
use crate::problem::Problem;

/// Milliseconds that the clocks of host and issuer may differ.
const LEEWAY_MS: u64 = 30_000;
/// Seconds of a time that can be one: the year 9999.
const SECONDS_MAX: u64 = 253_402_300_799;

#[derive(Debug, Clone)]
pub(crate) struct Claims {
    pub subject: PrincipalId,
    pub kind: PrincipalKind,
    pub tenant: Option<TenantId>,
    pub roles: BTreeSet<Role>,
    pub scopes: BTreeSet<String>,
    pub mfa: bool,
    pub issued_at: Option<Timestamp>,
    not_before: Option<Timestamp>,
    expires_at: Timestamp,
    pub method: AuthMethod,
    pub provision: bool,
    pub embedded: bool,
}

impl Claims {
    /// Everything that does not depend on the time.
    pub fn read(claims: &Value, key: &Key) -> Result<Self, Problem> {
        let reader = Reader(claims);
        reader.audience(key.audience.as_deref())?;
        let issued_at = reader.time("iat")?;
        // A token without an issuer is like the tutorial's: a user and an end are all that it has.
        if issued_at.is_none() && key.issuer.is_some() {
            return Err(wrong("iat is missing"));
        }
        let expires_at = reader.time("exp")?.ok_or_else(|| wrong("exp is missing"))?;
        if issued_at.is_some_and(|issued| expires_at.millis_since(issued) > LIFETIME_MS_MAX) {
            return Err(wrong("it lives longer than 24 hours"));
        }
        Ok(Self {
            subject: reader.subject(key.issuer.is_none())?,
            kind: reader.kind()?,
            tenant: reader.tenant()?,
            roles: reader.roles()?,
            scopes: reader.text("scope")?.map(words).unwrap_or_default(),
            mfa: reader.texts("amr")?.iter().any(|method| method == "mfa"),
            issued_at,
            not_before: reader.time("nbf")?,
            expires_at,
            method: key.method,
            provision: key.provision,
            embedded: key.embedded,
        })
    }

    pub fn check_times(&self, now: Timestamp) -> Result<(), Problem> {
        if now > self.valid_until() {
            return Err(
                Problem::new(&codes::TOKEN_EXPIRED).detail(format!("it ended at {}", self.expires_at))
            );
        }
        let starts = self.not_before.into_iter().chain(self.issued_at).max();
        match starts.filter(|starts| *starts > now.plus_millis(LEEWAY_MS)) {
            Some(starts) => {
                Err(Problem::new(&codes::TOKEN_NOT_YET_VALID).detail(format!("it starts at {starts}")))
            }
            None => Ok(()),
        }
    }

    /// With the leeway.
    pub fn valid_until(&self) -> Timestamp {
        self.expires_at.plus_millis(LEEWAY_MS)
    }
}

struct Reader<'a>(&'a Value);

impl<'a> Reader<'a> {
    fn text(&self, name: &str) -> Result<Option<&'a str>, Problem> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(&format!("{name} is not a text"))),
        }
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, Problem> {
        let not_texts = || wrong(&format!("{name} is not a list of texts"));
        let Some(value) = self.0.get(name) else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or_else(not_texts)?;
        items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(not_texts)).collect()
    }

    /// Whole seconds since 1970.
    fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let seconds = value.as_u64().filter(|seconds| *seconds <= SECONDS_MAX);
        let seconds = seconds.ok_or_else(|| wrong(&format!("{name} is not a time in whole seconds")))?;
        Ok(Some(Timestamp::default().plus_millis(seconds * 1_000)))
    }

    fn audience(&self, ours: Option<&str>) -> Result<(), Problem> {
        let for_us = match (self.0.get("aud"), ours) {
            (None, None) => true,
            (Some(Value::String(one)), Some(ours)) => one == ours,
            (Some(Value::Array(many)), Some(ours)) => many.iter().any(|one| one == ours),
            _ => false,
        };
        if for_us { Ok(()) } else { Err(wrong("aud does not name this host")) }
    }

    fn subject(&self, tutorial: bool) -> Result<PrincipalId, Problem> {
        let user = if tutorial { self.text("user_id")? } else { None };
        let subject = self.text("sub")?.or(user).ok_or_else(|| wrong("sub is missing"))?;
        PrincipalId::new(subject).map_err(|_| wrong("sub is not a principal id"))
    }

    fn kind(&self) -> Result<PrincipalKind, Problem> {
        match self.text("kind")? {
            None | Some("user") => Ok(PrincipalKind::User),
            Some("service_account") => Ok(PrincipalKind::ServiceAccount),
            Some(_) => Err(wrong("kind is neither user nor service_account")),
        }
    }

    fn tenant(&self) -> Result<Option<TenantId>, Problem> {
        let tenant = self.text("tenant_id")?.map(TenantId::new).transpose();
        tenant.map_err(|_| wrong("tenant_id is not a tenant id"))
    }

    fn roles(&self) -> Result<BTreeSet<Role>, Problem> {
        let known =
            |word: &String| Role::parse(word).ok_or_else(|| wrong("roles names a role that does not exist"));
        self.texts("roles")?.iter().map(known).collect()
    }
}

fn words(text: &str) -> BTreeSet<String> {
    text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn wrong(why: &str) -> Problem {
    Problem::new(&codes::TOKEN_CLAIMS).detail(format!("the token is not meant for this host: {why}"))
}
