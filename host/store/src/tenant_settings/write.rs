//! Changing settings. The versions that a change of targets concerns are classified anew in the same transaction, so
//! that policies, plans and lists never see a class that the map does not give any more.

use std::collections::BTreeSet;
use std::sync::Arc;

use quantum_core::id::TenantId;
use quantum_core::tenant::{Targets, TenantSettings};

use super::{NewSettings, Settings, SettingsInForce, decode_platform_row, parse};
use crate::Error;
use crate::access::Access;
use crate::database::is_refusal;
use crate::database::{Conn, Query};

/// The class of a version's target, by what is stored now; as `core::intent::environment_of` for a target that is no
/// class itself. `?1` is the tenant.
macro_rules! class_of_target {
    () => {
        "coalesce((SELECT given.value FROM tenant_settings s, json_each(s.document, '$.targets') given \
         WHERE s.tenant_id = ?1 AND given.key = intent_versions.target), 'production')"
    };
}
pub(crate) use class_of_target;

macro_rules! postgres_class_of_target {
    () => {
        "coalesce((SELECT given.value FROM tenant_settings s, \
         json_each_text(CAST(s.document AS json) -> 'targets') given \
         WHERE s.tenant_id = ?1 AND given.key = intent_versions.target), 'production')"
    };
}
pub(crate) use postgres_class_of_target;

/// Which versions have one: a definition without a target, or with a class as its target, needs no map.
macro_rules! has_own_target {
    () => {
        "intent_versions.target NOT IN ('development', 'test', 'staging', 'production')"
    };
}
pub(crate) use has_own_target;

pub(crate) mod sql {
    crate::database::statements! {
        PUT = "INSERT INTO tenant_settings (tenant_id, revision, document, updated_at, updated_by) \
               VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant_id) DO UPDATE SET revision = excluded.revision, \
               document = excluded.document, updated_at = excluded.updated_at, updated_by = excluded.updated_by";
        /// Versions whose target is one of the given.
        CLASSIFY = concat!("UPDATE intent_versions SET environment = ", super::class_of_target!(), " WHERE tenant_id = ?1 \
                   AND target IN (SELECT given.value FROM json_each(?2) given) AND ", super::has_own_target!()),
            postgres: concat!("UPDATE intent_versions SET environment = ", super::postgres_class_of_target!(), " WHERE tenant_id = ?1 \
                   AND target IN (SELECT given.value FROM json_each(?2) given) AND ", super::has_own_target!());
        /// What lists search by, as the version says that they show.
        SHOW = "UPDATE intents SET environment = v.environment FROM intent_versions v \
                WHERE intents.tenant_id = ?1 AND v.tenant_id = ?1 AND v.intent_uid = intents.uid \
                AND v.number = coalesce(intents.active_version, intents.latest_version) \
                AND intents.environment <> v.environment";
    }
}

impl Settings<'_> {
    /// Holds from the moment at which it returns; before, none of it or all of it. Gives what holds then. Err:
    /// `VersionConflict`, `NotFound` (no such tenant), `Corrupt` (no document of settings).
    pub async fn put(&self, new: NewSettings) -> Result<SettingsInForce, Error> {
        let settings = Arc::new(parse(&new.document)?);
        let (tenant, known) = (self.scope.tenant().clone(), Arc::clone(&self.store.settings));
        let name = tenant.to_string();
        let durable = {
            let tenant = tenant.clone();
            move |now: &SettingsInForce| known.set(tenant, now.clone())
        };
        let access = Access::Tenant(self.scope.tenant());
        let write =
            self.store.write_then(access, move |conn| Box::pin(put(conn, tenant, new, settings)), durable);
        match write.await {
            Err(Error::Query(error)) if is_refusal(&error) => Err(Error::NotFound { kind: "tenant", name }),
            other => other,
        }
    }
}

async fn put(
    conn: &mut Conn,
    tenant: TenantId,
    new: NewSettings,
    settings: Arc<TenantSettings>,
) -> Result<SettingsInForce, Error> {
    let row = Query::new(super::sql::GET).bind(tenant.to_string()).fetch_optional(&mut *conn).await?;
    let stored = row.as_ref().map(decode_platform_row).transpose()?;
    let current = stored.as_ref().map_or(0, |stored| stored.revision);
    if new.expected_revision.is_some_and(|expected| expected != current) {
        return Err(Error::VersionConflict { current });
    }
    let before = stored.map(|stored| parse(&stored.document)).transpose()?.unwrap_or_default();
    let revision = current + 1;
    Query::new(sql::PUT)
        .bind(tenant.to_string())
        .bind(revision.cast_signed())
        .bind(new.document)
        .bind(new.at.as_millis())
        .bind(new.by.to_string())
        .execute(&mut *conn)
        .await?;
    let moved = moved(&before.targets, &settings.targets);
    if !moved.is_empty() {
        let query = Query::new(sql::CLASSIFY).bind(tenant.to_string());
        query.bind(serde_json::json!(moved).to_string()).execute(&mut *conn).await?;
        Query::new(sql::SHOW).bind(tenant.to_string()).execute(conn).await?;
    }
    Ok(SettingsInForce { revision, settings })
}

/// Names that mean something else now.
fn moved<'a>(before: &'a Targets, after: &'a Targets) -> Vec<&'a str> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let moved = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    moved.map(String::as_str).collect()
}
