-- oldest schema beside it: 8, oldest binary beside it: 0.1.0
--
-- What the attempts of a tenant used, by day and action. Added to by the transaction that records the end of an attempt,
-- so that each is in it once, whatever the process dies on.

CREATE TABLE usage_sums (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    -- Days since the Unix epoch, in UTC.
    day INTEGER NOT NULL,
    plugin TEXT NOT NULL,
    version TEXT NOT NULL,
    action TEXT NOT NULL,
    -- Always 0: there is one writer. PostgreSQL has several rows, one for each transaction that may be under way.
    part INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    cpu_us INTEGER NOT NULL,
    wall_us INTEGER NOT NULL,
    -- Of one attempt, the largest.
    memory_bytes_peak INTEGER NOT NULL,
    memory_byte_seconds INTEGER NOT NULL,
    host_calls INTEGER NOT NULL,
    sent_bytes INTEGER NOT NULL,
    received_bytes INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, day, plugin, version, action, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_sums_day ON usage_sums (day, tenant_id);
