-- oldest schema beside it: 1, oldest binary beside it: 0.1.0
--
-- What the attempts of a tenant used, by day and action. Added to by the transaction that records the end of an attempt,
-- so that each is in it once, whatever the process dies on.

CREATE TABLE usage_sums (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    -- Days since the Unix epoch, in UTC.
    day BIGINT NOT NULL,
    plugin TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    -- Transactions that are under way at a time are of different sessions, and add to different rows: with one row they
    -- would wait for each other's sync. Who reads adds the parts up.
    part BIGINT NOT NULL DEFAULT (pg_backend_pid() % 16),
    attempts BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    cpu_us BIGINT NOT NULL,
    wall_us BIGINT NOT NULL,
    -- Of one attempt, the largest.
    memory_bytes_peak BIGINT NOT NULL,
    memory_byte_seconds BIGINT NOT NULL,
    host_calls BIGINT NOT NULL,
    sent_bytes BIGINT NOT NULL,
    received_bytes BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, day, plugin, version, action, part)
);
CREATE INDEX usage_sums_day ON usage_sums (day, tenant_id);

ALTER TABLE usage_sums ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_sums FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON usage_sums TO app_user
    USING (tenant_id = (SELECT app.tenant())) WITH CHECK (tenant_id = (SELECT app.tenant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_sums TO app_user;
CREATE POLICY batch_isolation ON usage_sums TO app_journal
    USING ((SELECT app.tenants()) @> ARRAY[tenant_id]) WITH CHECK ((SELECT app.tenants()) @> ARRAY[tenant_id]);
GRANT SELECT, INSERT, UPDATE ON usage_sums TO app_journal;
-- Which tenants have days that are not kept any longer.
CREATE POLICY platform ON usage_sums FOR SELECT TO app_platform USING (true);
GRANT SELECT (tenant_id, day) ON usage_sums TO app_platform;
