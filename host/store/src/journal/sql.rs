//! The journal's statements, all of them over many rows. Column 1 is never NULL (see `database::Rows`).

use crate::database::{Dialect, Rows, Sql};

/// tenant, execution
pub(super) const HEADS: Rows = Rows {
    head: "SELECT e.tenant_id, e.id, e.version, e.epoch FROM",
    columns: 2,
    tail: Sql::each(
        "CROSS JOIN executions e ON e.tenant_id = v.column1 AND e.id = v.column2 AND e.purged_at IS NULL",
        // Other nodes wait: what was read still holds when it is written.
        "JOIN executions e ON e.tenant_id = v.column1 AND e.id = v.column2 AND e.purged_at IS NULL FOR UPDATE OF e",
    ),
};

/// tenant, principal, route, key
pub(super) const RESPONSES: Rows = Rows {
    head: "SELECT k.tenant_id, k.principal_id, k.route, k.key, k.fingerprint, k.response, k.at FROM",
    columns: 4,
    tail: Sql::same(
        "CROSS JOIN idempotency_keys k ON k.tenant_id = v.column1 AND k.principal_id = v.column2 \
           AND k.route = v.column3 AND k.key = v.column4",
    ),
};

/// tenant, principal, route, key, fingerprint, response, at. An answer that is there is an expired one.
pub(crate) const RESPONSE_INSERT: Rows = Rows {
    head: "INSERT INTO idempotency_keys (tenant_id, principal_id, route, key, fingerprint, response, at) SELECT * FROM",
    columns: 7,
    tail: Sql::same(
        "WHERE column1 IS NOT NULL ON CONFLICT (tenant_id, principal_id, route, key) DO UPDATE SET fingerprint = excluded.fingerprint, \
           response = excluded.response, at = excluded.at",
    ),
};

/// tenant, digest, plan
pub(super) const PLAN_INSERT: Rows = Rows {
    head: "INSERT INTO plans (tenant_id, digest, plan) SELECT * FROM",
    columns: 3,
    tail: Sql::same("WHERE column1 IS NOT NULL ON CONFLICT DO NOTHING"),
};

/// As the columns of the table.
pub(super) const EXECUTION_INSERT: Rows = Rows {
    head: "INSERT INTO executions (tenant_id, id, intent_uid, intent_name, intent_version, status, version, owner, \
           epoch, lease_until, next_due, environment, dry_run, requested_by, requested_by_kind, labels, created_at, \
           started_at, ended_at, steps_total, steps_done, summary, plan_digest, origin, priority, concurrency_key) SELECT * FROM",
    columns: 26,
    tail: Sql::same("WHERE column1 IS NOT NULL"),
};

/// tenant, key, value, execution
pub(super) const LABEL_INSERT: Rows = Rows {
    head: "INSERT INTO execution_labels (tenant_id, key, value, execution_id) SELECT * FROM",
    columns: 4,
    tail: Sql::same("WHERE column1 IS NOT NULL"),
};

/// tenant, execution, first seq, last seq, events, input
pub(super) const JOURNAL_INSERT: Rows = Rows {
    head: "INSERT INTO journal (tenant_id, execution_id, first_seq, last_seq, events, input) SELECT * FROM",
    columns: 6,
    tail: Sql::same("WHERE column1 IS NOT NULL"),
};

/// tenant, execution, version, status, next due, steps done, started at, ended at, summary; then where it stood: version,
/// epoch. One that stands elsewhere is not written.
pub(super) const EXECUTION_UPDATE: Rows = Rows {
    head: "UPDATE executions SET version = v.column3, status = v.column4, next_due = v.column5, \
           steps_done = v.column6, started_at = v.column7, ended_at = v.column8, summary = v.column9 FROM",
    columns: 11,
    tail: Sql::same(
        "WHERE v.column1 IS NOT NULL AND executions.tenant_id = v.column1 AND executions.id = v.column2 \
           AND executions.version = v.column10 AND executions.epoch = v.column11 AND executions.purged_at IS NULL",
    ),
};

/// Keys of answers, by a number for each: no other node decides about the same key at the same time. PostgreSQL only.
pub(super) const KEY_LOCKS: Rows = Rows {
    head: "SELECT pg_advisory_xact_lock(v.column1) FROM",
    columns: 1,
    tail: Sql::same("ORDER BY v.column1"),
};

/// For the registry, with one row and with several.
pub(crate) fn shapes(dialect: Dialect) -> Vec<String> {
    let all = [
        &HEADS,
        &RESPONSES,
        &RESPONSE_INSERT,
        &PLAN_INSERT,
        &EXECUTION_INSERT,
        &LABEL_INSERT,
        &JOURNAL_INSERT,
        &EXECUTION_UPDATE,
    ];
    all.iter().flat_map(|rows| rows.shapes(dialect)).collect()
}
