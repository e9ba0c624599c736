-- oldest schema beside it: 1, oldest binary beside it: 0.1.0
--
-- Row-level security. The roles are made before, since they belong to the server and not to the database:
--   app_user      one tenant a transaction: app.current_tenant_id
--   app_journal   writes executions of the tenants of a batch: app.current_tenant_ids
--   app_reader    reads rows of the tenants of a batch, for starts and recovery
--   app_platform  across tenants, and only what carries no content: names of tenants, keys, owners, due times
-- None of them owns a table; FORCE makes the policies hold for the owner, too.

GRANT USAGE ON SCHEMA app TO app_user, app_journal, app_reader, app_platform;
GRANT USAGE ON SCHEMA public TO app_user, app_journal, app_reader, app_platform;

DO $$
DECLARE name text;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attname = 'tenant_id' AND NOT a.attisdropped
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        -- The sub-select is computed once a query, so that the index is used.
        EXECUTE format('CREATE POLICY tenant_isolation ON %I TO app_user
            USING (tenant_id = (SELECT app.tenant())) WITH CHECK (tenant_id = (SELECT app.tenant()))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO app_user', name);
    END LOOP;
    -- Not `tenant_id = ANY (…)`: beside a statement's own `tenant_id = …` the planner would count the tenant twice, take
    -- its rows for few, and read all of them by an index that knows nothing but the tenant.
    FOREACH name IN ARRAY ARRAY['plans', 'executions', 'execution_labels', 'journal', 'logs', 'idempotency_keys'] LOOP
        EXECUTE format('CREATE POLICY batch_isolation ON %I TO app_journal
            USING ((SELECT app.tenants()) @> ARRAY[tenant_id]) WITH CHECK ((SELECT app.tenants()) @> ARRAY[tenant_id])', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO app_journal', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['plans', 'executions', 'journal', 'installations', 'tenant_settings', 'schedules', 'commands', 'changes'] LOOP
        EXECUTE format('CREATE POLICY reading ON %I FOR SELECT TO app_reader
            USING ((SELECT app.tenants()) @> ARRAY[tenant_id])', name);
        EXECUTE format('GRANT SELECT ON %I TO app_reader', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['executions', 'schedules', 'kv', 'artifacts', 'artifact_names', 'idempotency_keys', 'tenant_keys',
            'commands', 'changes'] LOOP
        EXECUTE format('CREATE POLICY platform ON %I FOR SELECT TO app_platform USING (true)', name);
    END LOOP;
END $$;

-- Whether a tenant exists, for log lines; people are made known with their first membership. Who else there is, nobody
-- reads who works for one tenant.
GRANT SELECT (id) ON tenants TO app_journal;
GRANT INSERT ON users TO app_user;
-- Whether the owner of an execution is alive.
GRANT SELECT (id, lease_until) ON nodes TO app_user;

GRANT SELECT, INSERT ON tenants, users TO app_platform;
GRANT SELECT (tenant_id, id, owner, epoch, ended_at) ON executions TO app_platform;
GRANT SELECT (tenant_id, uid, next_at) ON schedules TO app_platform;
GRANT SELECT (tenant_id, expires_at) ON kv TO app_platform;
GRANT SELECT (tenant_id, digest, unheld_at) ON artifacts TO app_platform;
GRANT SELECT (tenant_id, execution_id, at) ON artifact_names TO app_platform;
GRANT SELECT (tenant_id, at) ON idempotency_keys TO app_platform;
GRANT SELECT (master) ON tenant_keys TO app_platform;
GRANT SELECT ON changes TO app_platform;
GRANT SELECT, INSERT, UPDATE, DELETE ON nodes, leaders TO app_platform;
-- Every start looks at it.
GRANT SELECT ON transfers TO PUBLIC;
GRANT SELECT, INSERT, DELETE ON transfers TO app_platform;
GRANT SELECT (tenant_id, id, execution_id, node, taken, asked_at, answered) ON commands TO app_platform;

-- What a person is in every tenant, for whoever has proven to be that person.
CREATE POLICY own_memberships ON memberships FOR SELECT TO app_platform
    USING (principal_id = (SELECT current_setting('app.current_principal_id')));
GRANT SELECT ON memberships TO app_platform;

-- Taking over an execution changes who owns it, and nothing else.
CREATE POLICY claiming ON executions FOR UPDATE TO app_platform USING (ended_at IS NULL) WITH CHECK (ended_at IS NULL);
GRANT UPDATE (owner, epoch, lease_until) ON executions TO app_platform;
-- The same for what is asked of a node.
CREATE POLICY taking ON commands FOR UPDATE TO app_platform USING (true) WITH CHECK (true);
GRANT UPDATE (taken, node) ON commands TO app_platform;
