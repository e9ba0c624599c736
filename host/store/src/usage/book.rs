//! Adds what the commits of a batch used to the sums, together with the rest of the batch: as one write, however many
//! commits there are, and none where no attempt ended.

use std::collections::BTreeMap;

use quantum_core::id::TenantId;
use quantum_core::usage::{Account, Sums};

use crate::database::{Dialect, Query, Rows, Sql, Writes};
use crate::journal::Commit;

/// The most that is added at once, so that no sum can leave the range of the column and with it fail a whole batch: a
/// thousand times as much fits into a row.
const ADDED_MAX: u64 = 1 << 53;

/// tenant, day, plugin, version, action; then the sums. Rows that are there are locked in this order, so that no two
/// transactions wait for each other for ever.
const ADD: Rows = Rows {
    head: "INSERT INTO usage_sums (tenant_id, day, plugin, version, action, attempts, failures, cpu_us, wall_us, \
           memory_bytes_peak, memory_byte_seconds, host_calls, sent_bytes, received_bytes) SELECT v.* FROM",
    columns: 14,
    tail: Sql::same(
        "WHERE v.column1 IS NOT NULL ON CONFLICT (tenant_id, day, plugin, version, action, part) DO UPDATE SET \
           attempts = usage_sums.attempts + excluded.attempts, failures = usage_sums.failures + excluded.failures, \
           cpu_us = usage_sums.cpu_us + excluded.cpu_us, wall_us = usage_sums.wall_us + excluded.wall_us, \
           memory_bytes_peak = CASE WHEN excluded.memory_bytes_peak > usage_sums.memory_bytes_peak \
             THEN excluded.memory_bytes_peak ELSE usage_sums.memory_bytes_peak END, \
           memory_byte_seconds = usage_sums.memory_byte_seconds + excluded.memory_byte_seconds, \
           host_calls = usage_sums.host_calls + excluded.host_calls, \
           sent_bytes = usage_sums.sent_bytes + excluded.sent_bytes, \
           received_bytes = usage_sums.received_bytes + excluded.received_bytes",
    ),
};

type Booked<'a> = ((&'a TenantId, &'a Account), Sums);

pub(crate) fn add(writes: &mut Writes, accepted: &[&Commit]) {
    writes.add(&ADD, &booked(accepted), bind);
}

/// One row a tenant, day and action, in order.
fn booked<'a>(accepted: &[&'a Commit]) -> Vec<Booked<'a>> {
    let mut rows: BTreeMap<(&TenantId, &Account), Sums> = BTreeMap::new();
    for commit in accepted {
        for used in &commit.used {
            rows.entry((commit.scope.tenant(), &used.account)).or_default().add(&used.sums);
        }
    }
    rows.into_iter().collect()
}

fn bind(query: Query, ((tenant, account), sums): &Booked<'_>) -> Query {
    let query = query
        .bind(tenant.as_str().to_owned())
        .bind(account.day.number())
        .bind(account.plugin.clone())
        .bind(account.version.clone())
        .bind(account.action.clone());
    let Sums { attempts, failures, cpu_us, wall_us, memory_bytes_peak, .. } = *sums;
    let Sums { memory_byte_seconds, host_calls, sent_bytes, received_bytes, .. } = *sums;
    let columns = [
        attempts,
        failures,
        cpu_us,
        wall_us,
        memory_bytes_peak,
        memory_byte_seconds,
        host_calls,
        sent_bytes,
        received_bytes,
    ];
    columns.into_iter().fold(query, |query, sum| query.bind(sum.min(ADDED_MAX).cast_signed()))
}

/// For the registry.
pub(crate) fn shapes(dialect: Dialect) -> Vec<String> {
    ADD.shapes(dialect)
}
