//! Whether row-level security holds for the login of a host. Read from the catalog, at every start and by `doctor`.

use sqlx::{PgConnection, Row};

use super::connect::connection;
use super::options::PATIENCE;
use crate::Error;

/// One thing that was looked at and is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A host does not start with it.
    pub is_fatal: bool,
    pub text: String,
    pub remedy: String,
}

/// Minor releases before these reuse plans across roles (CVE-2024-10976), so that a policy of another role may be used.
/// <https://www.postgresql.org/support/security/CVE-2024-10976/>
const REPAIRED: [(i64, i64); 3] = [(15, 9), (16, 5), (17, 1)];

const SELF: &str = "SELECT r.rolname::text, r.rolsuper, r.rolbypassrls, r.rolcreaterole, \
     current_setting('server_version_num')::bigint, pg_is_in_recovery(), \
     current_setting('default_transaction_read_only') = 'on' FROM pg_roles r WHERE r.rolname = session_user";
const OWNED: &str = "SELECT c.relname::text FROM pg_class c \
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') \
     AND (pg_has_role(session_user, c.relowner, 'MEMBER')) ORDER BY 1 LIMIT 1";
const MISSING_ROLES: &str = "SELECT name FROM unnest(ARRAY['app_user', 'app_journal', 'app_reader', 'app_platform']) name \
     WHERE NOT EXISTS (SELECT 1 FROM pg_roles r WHERE r.rolname = name AND pg_has_role(session_user, r.oid, 'MEMBER') \
         AND NOT r.rolsuper AND NOT r.rolbypassrls) ORDER BY 1";
const TENANT_TABLES: &str = "SELECT c.oid::bigint, c.relname::text, c.relrowsecurity, c.relforcerowsecurity, \
     (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) FROM pg_class c \
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped \
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 2";
/// Permissive policies add up. Those of the roles that work for tenants, or of everybody, must compare the tenant in both
/// directions; `app_platform` goes across tenants, and what it may see is bounded by its grants. Each way to write it that a
/// release used or the next one is to use stands here: the schema is prepared before the last old host ends.
const LOOSE_POLICIES: &str = "SELECT c.relname::text, p.polname::text FROM pg_policy p \
     JOIN pg_class c ON c.oid = p.polrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' \
     WHERE c.relnamespace = 'public'::regnamespace AND p.polpermissive \
     AND (p.polroles && ARRAY['app_user'::regrole, 'app_journal'::regrole, 'app_reader'::regrole]::oid[] \
         OR p.polroles <> ARRAY['app_platform'::regrole]::oid[]) \
     AND EXISTS (SELECT 1 FROM unnest(ARRAY[pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid)]) e \
         WHERE e NOT LIKE '(tenant_id = ( SELECT app.tenant() AS tenant))' \
         AND e NOT LIKE '(( SELECT app.tenants() AS tenants) @> ARRAY[tenant_id])' \
         AND e NOT LIKE '(tenant_id = ANY (( SELECT app.tenants() AS tenants)%))') ORDER BY 1, 2";
/// Keys, unique constraints and references of tenant tables that do not start with the tenant.
const LOOSE_KEYS: &str = "SELECT c.relname::text, i.indexrelid::regclass::text FROM pg_index i \
     JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' \
     WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique AND i.indkey[0] <> a.attnum \
     UNION ALL SELECT c.relname::text, k.conname::text FROM pg_constraint k \
     JOIN pg_class c ON c.oid = k.conrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' \
     WHERE c.relnamespace = 'public'::regnamespace AND k.contype = 'f' AND k.conkey[1] <> a.attnum ORDER BY 1, 2";

const HAS_TRANSFERS: &str = "SELECT to_regclass('public.transfers') IS NOT NULL";
const TRANSFERS: &str = "SELECT source FROM public.transfers ORDER BY 1";

/// As a start looks at it. Err: `Connect`, `Query`.
pub async fn inspect(url: &str) -> Result<Vec<Finding>, Error> {
    findings(&mut connection(url, PATIENCE).await?).await
}

async fn findings(conn: &mut PgConnection) -> Result<Vec<Finding>, Error> {
    let mut found = safety(conn).await?;
    found.extend(of_transfer(conn).await?);
    Ok(found)
}

/// Whether tenants are kept apart, and whether anything can be written.
pub(super) async fn safety(conn: &mut PgConnection) -> Result<Vec<Finding>, Error> {
    let mut found = of_login(conn).await?;
    found.extend(of_tables(conn).await?);
    Ok(found)
}

/// A data folder that is in it in part.
pub(super) async fn of_transfer(conn: &mut PgConnection) -> Result<Vec<Finding>, Error> {
    let there: bool = sqlx::query(HAS_TRANSFERS).fetch_one(&mut *conn).await?.try_get(0)?;
    let rows = if there { sqlx::query(TRANSFERS).fetch_all(conn).await? } else { Vec::new() };
    let finding = |source: String| {
        let text = format!("the data folder {source} was not moved into it to the end");
        fatal(text, format!("go on with: quantum migrate --from {source} --to URL"))
    };
    rows.iter().map(|row| Ok(finding(row.try_get(0)?))).collect()
}

async fn of_login(conn: &mut PgConnection) -> Result<Vec<Finding>, Error> {
    let row = sqlx::query(SELF).fetch_one(&mut *conn).await?;
    let name: String = row.try_get(0)?;
    let (superuser, bypasses, makes_roles): (bool, bool, bool) =
        (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
    let mut found = Vec::new();
    let other = "make a login of its own with: quantum store prepare --owner URL --login NAME".to_owned();
    if superuser || bypasses {
        let what = if superuser { "is a superuser" } else { "bypasses row-level security (BYPASSRLS)" };
        found.push(fatal(
            format!("the login \"{name}\" {what}: tenants would not be kept apart"),
            other.clone(),
        ));
    } else {
        if makes_roles {
            let text =
                format!("the login \"{name}\" may make roles (CREATEROLE), and so one that sees everything");
            found.push(fatal(text, format!("ALTER ROLE \"{name}\" NOCREATEROLE")));
        }
        if let Some(row) = sqlx::query(OWNED).fetch_optional(&mut *conn).await? {
            let table: String = row.try_get(0)?;
            let text = format!(
                "the login \"{name}\" owns the table \"{table}\", or is a member of its owner: it could switch row-level security off"
            );
            found.push(fatal(text, other.clone()));
        }
    }
    for row in sqlx::query(MISSING_ROLES).fetch_all(&mut *conn).await? {
        let role: String = row.try_get(0)?;
        let text = format!(
            "the login \"{name}\" is not a member of the role \"{role}\", or that role sees everything"
        );
        found.push(fatal(
            text,
            format!("GRANT {role} TO \"{name}\", or: quantum store prepare --owner URL --login {name}"),
        ));
    }
    found.extend(of_server(row.try_get(4)?, row.try_get(5)?, row.try_get(6)?));
    Ok(found)
}

fn of_server(version: i64, is_replica: bool, is_read_only: bool) -> Vec<Finding> {
    let (major, minor) = (version / 10_000, version % 10_000);
    let mut found = Vec::new();
    if major < 15 {
        let text = format!("the server is PostgreSQL {major}.{minor}");
        found.push(fatal(text, "PostgreSQL 15 or newer is needed".to_owned()));
    }
    if let Some((_, repaired)) = REPAIRED.iter().find(|(of, repaired)| *of == major && minor < *repaired) {
        let text = format!(
            "the server is PostgreSQL {major}.{minor}, which may use a plan of another role (CVE-2024-10976)"
        );
        found.push(fatal(text, format!("upgrade to {major}.{repaired} or newer")));
    }
    if is_replica || is_read_only {
        let what = if is_replica {
            "is a replica (in recovery)"
        } else {
            "takes no writes (default_transaction_read_only)"
        };
        let remedy = if is_replica {
            "connect to the primary: target_session_attrs is not read from the URL"
        } else {
            "connect to the primary, or: ALTER DATABASE NAME RESET default_transaction_read_only"
        };
        found.push(fatal(format!("the server {what}"), remedy.to_owned()));
    }
    found
}

async fn of_tables(conn: &mut PgConnection) -> Result<Vec<Finding>, Error> {
    let mut found = Vec::new();
    for row in sqlx::query(TENANT_TABLES).fetch_all(&mut *conn).await? {
        let (table, enabled, forced, policies): (String, bool, bool, i64) =
            (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
        if !enabled || !forced {
            let text = format!("the table \"{table}\" has a tenant_id and no forced row-level security");
            let remedy =
                format!("ALTER TABLE \"{table}\" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY");
            found.push(fatal(text, remedy));
        }
        if policies == 0 {
            let text = format!("the table \"{table}\" has a tenant_id and no policy");
            found.push(fatal(
                text,
                "it is not of this program: drop it, or give it a policy as the others have".to_owned(),
            ));
        }
    }
    for row in sqlx::query(LOOSE_POLICIES).fetch_all(&mut *conn).await? {
        let (table, policy): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let text = format!("the policy \"{policy}\" of \"{table}\" lets rows of other tenants through");
        let remedy =
            format!("DROP POLICY \"{policy}\" ON \"{table}\", unless it is of this program: then restore it");
        found.push(fatal(text, remedy));
    }
    for row in sqlx::query(LOOSE_KEYS).fetch_all(conn).await? {
        let (table, key): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let text = format!(
            "the key \"{key}\" of \"{table}\" does not start with tenant_id: it would tell of rows of other tenants"
        );
        found.push(fatal(text, format!("drop \"{key}\", or make it start with tenant_id")));
    }
    Ok(found)
}

const fn fatal(text: String, remedy: String) -> Finding {
    Finding { is_fatal: true, text, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_are_too_old_or_read_only_are_found() {
        assert_eq!(of_server(150_018, false, false), []);
        for (version, replica, read_only) in [
            (140_020, false, false),
            (150_008, false, false),
            (160_004, false, false),
            (170_002, true, false),
            (150_018, false, true),
        ] {
            assert_eq!(of_server(version, replica, read_only).len(), 1, "{version}");
        }
    }
}
