//! From a request's headers to a session: the caller, the tenant it acts in, and until when that holds.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use quantum_catalog::{Catalog, Membership};
use quantum_core::id::TenantId;
use quantum_core::port::Requester;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Role;
use quantum_policy::{Auth, Caller, Context};
use quantum_store::TenantScope;

use super::cache::Cache;
use super::claims::Claims;
use super::issuer::Issuers;
use super::members::{Members, assigned};
use super::token;
use crate::codes::{self, Code};
use crate::problem::Problem;

/// Milliseconds that a verified token is not verified again.
const VERIFIED_MS: u64 = 60_000;
/// Names the tenant that the caller acts in.
const TENANT_HEADER: &str = "x-tenant-id";

pub(crate) struct Authenticator {
    issuers: Issuers,
    members: Members,
    verified: Cache<[u8; 32], Arc<Claims>>,
}

/// Who asks, decided once a request.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub caller: Caller,
    pub scope: TenantScope,
    pub context: Context,
    claims: Arc<Claims>,
}

impl Session {
    pub fn tenant(&self) -> &TenantId {
        self.scope.tenant()
    }

    pub fn requester(&self) -> Requester {
        Requester { id: self.caller.id.clone(), kind: self.caller.kind }
    }

    pub fn now(&self) -> Timestamp {
        self.context.now
    }
}

impl Authenticator {
    pub fn new(issuers: Issuers, catalog: Catalog) -> Self {
        Self { issuers, members: Members::new(catalog), verified: Cache::new() }
    }

    /// A member of a tenant.
    pub async fn session(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
        ip: Option<IpAddr>,
    ) -> Result<Session, Problem> {
        let claims = self.claims(headers, now)?;
        let memberships = self.members.of(&claims, now).await.map_err(refuse)?;
        let membership = choose(&claims, &memberships, headers).map_err(refuse)?;
        let scope = TenantScope::authenticated(membership.tenant.clone());
        let caller = member(&claims, membership, now);
        Ok(Session { caller, scope, context: Context { ip, ..Context::at(now) }, claims })
    }

    /// Whether a session that has begun may go on: for streams.
    pub async fn still_holds(&self, session: &Session, now: Timestamp) -> bool {
        let Ok(memberships) = self.members.of(&session.claims, now).await else { return false };
        let active = memberships.iter().any(|one| one.tenant == *session.tenant() && one.active);
        active && session.claims.check_times(now).is_ok()
    }

    /// An administrator of the host: a token of the embedded issuer, for no tenant, with the role.
    pub fn platform_caller(&self, headers: &HeaderMap, now: Timestamp) -> Result<Caller, Problem> {
        let claims = self.claims(headers, now)?;
        if !claims.embedded || claims.tenant.is_some() || !claims.roles.contains(&Role::PlatformAdmin) {
            return Err(Problem::new(&codes::PLATFORM_TOKEN_NEEDED)
                .detail("this route is for administrators of the host, not of a tenant"));
        }
        // Policies compare a caller's tenant with the resource's; the host belongs to none.
        let nowhere = TenantId::new("platform").expect("\"platform\" is a tenant id");
        Ok(caller(&claims, nowhere, BTreeSet::from([Role::PlatformAdmin]), now))
    }

    fn claims(&self, headers: &HeaderMap, now: Timestamp) -> Result<Arc<Claims>, Problem> {
        let verified = bearer(headers).and_then(|token| self.verified(token, now));
        verified.map_err(refuse)
    }

    fn verified(&self, token: &str, now: Timestamp) -> Result<Arc<Claims>, Problem> {
        let key = fingerprint(token);
        if let Some(claims) = key.and_then(|key| self.verified.get(&key, now)) {
            claims.check_times(now)?;
            return Ok(claims);
        }
        let claims = Arc::new(token::verify(token, &self.issuers)?);
        claims.check_times(now)?;
        if let Some(key) = key {
            let until = claims.valid_until().min(now.plus_millis(VERIFIED_MS));
            self.verified.put(key, claims.clone(), until, now);
        }
        Ok(claims)
    }
}

fn fingerprint(token: &str) -> Option<[u8; 32]> {
    digest(&SHA256, token.as_bytes()).as_ref().try_into().ok()
}

/// The one bearer token of the request.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let malformed = |detail: &str| Problem::new(&codes::TOKEN_MALFORMED).detail(detail);
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Problem::new(&codes::TOKEN_MISSING).detail("the request has no Authorization header"));
    };
    if values.next().is_some() {
        return Err(malformed("the request has more than one Authorization header"));
    }
    let value = value.to_str().map_err(|_| malformed("the Authorization header is not ASCII"))?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => Ok(token),
        _ => Err(malformed("the Authorization header is not a bearer token")),
    }
}

/// Logs a 401, never the token, and says how to authenticate.
fn refuse(problem: Problem) -> Problem {
    if problem.status() != StatusCode::UNAUTHORIZED {
        return problem;
    }
    metrics::counter!("quantum_authentication_failures_total", "code" => problem.code().code).increment(1);
    tracing::info!(code = problem.code().code, "a request was not authenticated");
    let challenge = challenge(problem.code());
    problem.header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

fn challenge(code: &'static Code) -> &'static str {
    if code == &codes::TOKEN_MISSING {
        return "Bearer realm=\"quantum\"";
    }
    "Bearer realm=\"quantum\", error=\"invalid_token\""
}

/// `X-Tenant-ID`, else the token's tenant, else the only membership.
fn choose<'m>(
    claims: &Claims,
    memberships: &'m [Membership],
    headers: &HeaderMap,
) -> Result<&'m Membership, Problem> {
    let of = |tenant: &TenantId| memberships.iter().find(|one| one.tenant == *tenant && one.active);
    if let Some(named) = headers.get(TENANT_HEADER) {
        let tenant = named.to_str().ok().and_then(|text| TenantId::new(text).ok());
        return tenant.as_ref().and_then(of).ok_or_else(Problem::not_found);
    }
    let unknown = |detail: &str| Problem::new(&codes::PRINCIPAL_UNKNOWN).detail(detail);
    if let Some(tenant) = &claims.tenant {
        return of(tenant)
            .ok_or_else(|| unknown("the token's subject is not an active member of its tenant"));
    }
    let mut active = memberships.iter().filter(|one| one.active);
    match (active.next(), active.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(unknown("the token's subject is not an active member of any tenant")),
        (Some(_), Some(_)) => {
            Err(Problem::new(&codes::TENANT_REQUIRED).detail("you are a member of several tenants"))
        }
    }
}

fn member(claims: &Claims, membership: &Membership, now: Timestamp) -> Caller {
    let roles = assigned(membership);
    Caller { kind: membership.kind, ..caller(claims, membership.tenant.clone(), roles, now) }
}

fn caller(claims: &Claims, tenant: TenantId, roles: BTreeSet<Role>, now: Timestamp) -> Caller {
    let age_ms = claims.issued_at.map_or(0, |issued| now.millis_since(issued));
    Caller {
        id: claims.subject.clone(),
        kind: claims.kind,
        tenant,
        roles,
        active: true,
        auth: Auth {
            method: claims.method,
            mfa: claims.mfa,
            age_seconds: age_ms / 1_000,
            scopes: claims.scopes.clone(),
        },
        environments: BTreeSet::new(),
    }
}
