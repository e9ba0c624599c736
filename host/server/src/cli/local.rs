//! Tokens for whoever can read the key of a data folder: the operator of this machine.

use std::path::Path;

use quantum_api::auth::embedded::{Grant, SigningKey, issue};
use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::port::PrincipalKind;
use quantum_core::vocabulary::Role;
use quantum_engine::{Clock, SystemClock};

use super::error::CliError;
use crate::keys::Keys;
use crate::settings::default_data_dir;
use crate::wire::embedded_issuer;

/// Whom a command without a token acts as.
const LOCAL_USER: &str = "local-operator";
/// Seconds that such a token lives: one command.
const LOCAL_TOKEN_S: u32 = 300;

/// What a token is to say.
pub(crate) struct TokenRequest {
    pub tenant: Option<String>,
    pub user: String,
    pub roles: Vec<String>,
    pub service_account: bool,
    pub expires_in_s: u32,
}

pub(crate) fn token(data_dir: &Path, request: &TokenRequest) -> Result<String, CliError> {
    let keys = Keys::read(data_dir)?;
    let usage = |error: &dyn std::error::Error| CliError::Usage(error.to_string());
    let key = SigningKey::from_pkcs8(&keys.token_pkcs8).map_err(|error| usage(&error))?;
    let roles: Result<Vec<Role>, CliError> = request.roles.iter().map(|role| parse_role(role)).collect();
    let tenant = request.tenant.as_deref().map(TenantId::new).transpose().map_err(|error| usage(&error))?;
    let issued_at = SystemClock.now();
    let kind = if request.service_account { PrincipalKind::ServiceAccount } else { PrincipalKind::User };
    let grant = Grant {
        subject: PrincipalId::new(&request.user).map_err(|error| usage(&error))?,
        kind,
        tenant,
        roles: roles?,
        issued_at,
        expires_at: issued_at.plus_millis(u64::from(request.expires_in_s) * 1_000),
        token_id: uuid::Uuid::now_v7().to_string(),
    };
    issue(&key, &embedded_issuer(&key), &grant).map_err(|error| usage(&error))
}

fn parse_role(word: &str) -> Result<Role, CliError> {
    Role::parse(word).ok_or_else(|| {
        let known: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        CliError::Usage(format!("\"{word}\" is not a role; roles are: {}", known.join(", ")))
    })
}

/// A member of a tenant, with the rights of its administrator.
pub(crate) fn member_token(tenant: &str) -> Result<String, CliError> {
    local_token(Some(tenant.to_owned()), Role::Admin)
}

pub(crate) fn platform_token() -> Result<String, CliError> {
    local_token(None, Role::PlatformAdmin)
}

fn local_token(tenant: Option<String>, role: Role) -> Result<String, CliError> {
    let data_dir = std::env::var_os("QUANTUM_DATA_DIR").map_or_else(default_data_dir, Into::into);
    let request = TokenRequest {
        tenant,
        user: LOCAL_USER.to_owned(),
        roles: vec![role.as_str().to_owned()],
        service_account: false,
        expires_in_s: LOCAL_TOKEN_S,
    };
    token(&data_dir, &request).map_err(|error| match error {
        CliError::Key(key) => {
            CliError::Usage(format!("no token given (QUANTUM_TOKEN or --token), and {key}"))
        }
        other => other,
    })
}
