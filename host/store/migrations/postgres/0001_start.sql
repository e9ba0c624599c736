-- oldest schema beside it: 1, oldest binary beside it: 0.1.0
--
-- Keys, unique constraints and foreign keys of tenant tables start with tenant_id. Times are milliseconds since the
-- Unix epoch. Texts are compared byte by byte, as SQLite does: pages of lists are the same on both.
--
-- Who may see what is in 0002.

CREATE SCHEMA app;

-- The tenant of the transaction. Not set, or set once and gone, is an error and never "all".
CREATE FUNCTION app.tenant() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE tenant text := current_setting('app.current_tenant_id');
BEGIN
    IF tenant = '' THEN
        RAISE EXCEPTION 'no tenant is set in this transaction' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN tenant;
END $$;

-- The tenants of a batch.
CREATE FUNCTION app.tenants() RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE tenants text := current_setting('app.current_tenant_ids');
BEGIN
    IF tenants = '' THEN
        RAISE EXCEPTION 'no tenants are set in this transaction' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN string_to_array(tenants, ',');
END $$;

-- The time that leases go by: one clock for all nodes.
CREATE FUNCTION app.now() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CAST(extract(epoch FROM statement_timestamp()) * 1000 AS bigint)
$$;

CREATE TABLE tenants (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Known to the whole platform; what a person may do where is in memberships.
CREATE TABLE users (
    id TEXT COLLATE "C" PRIMARY KEY,
    created_at BIGINT NOT NULL
);

CREATE TABLE service_accounts (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE memberships (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    principal_id TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    roles TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    PRIMARY KEY (tenant_id, principal_id)
);
CREATE INDEX memberships_of ON memberships (principal_id, tenant_id);

CREATE TABLE intents (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    uid TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    status TEXT NOT NULL,
    revision BIGINT NOT NULL,
    active_version BIGINT,
    latest_version BIGINT NOT NULL,
    -- Of the version that lists show: the active one, else the latest.
    environment TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, uid),
    UNIQUE (tenant_id, name)
);
CREATE INDEX intents_environment ON intents (tenant_id, environment, name);
CREATE INDEX intents_status ON intents (tenant_id, status, name);

CREATE TABLE intent_versions (
    tenant_id TEXT COLLATE "C" NOT NULL,
    intent_uid TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    status TEXT NOT NULL,
    description TEXT NOT NULL,
    labels TEXT NOT NULL,
    environment TEXT NOT NULL,
    definition TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    -- What the definition names, so that a change of the tenant's targets finds the versions that it classifies anew.
    target TEXT COLLATE "C" GENERATED ALWAYS AS (CASE WHEN json_typeof(CAST(definition AS json) -> 'target') = 'string'
        THEN CAST(definition AS json) ->> 'target' END) STORED,
    PRIMARY KEY (tenant_id, intent_uid, number),
    FOREIGN KEY (tenant_id, intent_uid) REFERENCES intents (tenant_id, uid)
);
CREATE INDEX intent_versions_target ON intent_versions (tenant_id, target) WHERE target IS NOT NULL;

-- Labels of the version that lists show.
CREATE TABLE intent_labels (
    tenant_id TEXT COLLATE "C" NOT NULL,
    intent_uid TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, intent_uid, key),
    FOREIGN KEY (tenant_id, intent_uid) REFERENCES intents (tenant_id, uid)
);
CREATE INDEX intent_labels_value ON intent_labels (tenant_id, key, value, intent_uid);

-- The words of name and description that a search finds. No index by word: under row-level security it would not be
-- used, since the operator is not leakproof; the rows of one tenant are few.
CREATE TABLE intent_text (
    tenant_id TEXT COLLATE "C" NOT NULL,
    intent_uid TEXT COLLATE "C" NOT NULL,
    words tsvector NOT NULL,
    PRIMARY KEY (tenant_id, intent_uid),
    FOREIGN KEY (tenant_id, intent_uid) REFERENCES intents (tenant_id, uid)
);

CREATE TABLE blueprints (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    name TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    description TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    -- NULL: this revision is a removal.
    document TEXT,
    PRIMARY KEY (tenant_id, name, revision)
);

CREATE TABLE schedules (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    uid TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    intent_uid TEXT COLLATE "C" NOT NULL,
    document TEXT NOT NULL,
    paused BOOLEAN NOT NULL,
    revision BIGINT NOT NULL,
    -- In whose name executions are started.
    owner TEXT NOT NULL,
    owner_kind TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- Nothing that was due until then is looked at again. Never becomes less.
    handled_until BIGINT NOT NULL,
    -- A due time that starts when nothing of the schedule runs any more.
    waiting BIGINT,
    -- When it is looked at next. NULL: it is paused, or nothing is due any more.
    next_at BIGINT,
    progress TEXT NOT NULL,
    PRIMARY KEY (tenant_id, uid),
    UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id, intent_uid) REFERENCES intents (tenant_id, uid)
);
CREATE INDEX schedules_intent ON schedules (tenant_id, intent_uid, name);
CREATE INDEX schedules_next ON schedules (next_at, tenant_id, uid) WHERE next_at IS NOT NULL;

CREATE TABLE plans (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    digest TEXT COLLATE "C" NOT NULL,
    plan TEXT NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);

CREATE TABLE executions (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    intent_uid TEXT COLLATE "C" NOT NULL,
    intent_name TEXT NOT NULL,
    intent_version BIGINT NOT NULL,
    status TEXT NOT NULL,
    -- seq of the last event
    version BIGINT NOT NULL,
    -- The node that runs it.
    owner TEXT COLLATE "C",
    -- Grows with every take-over: a commit under an earlier one is refused.
    epoch BIGINT NOT NULL,
    lease_until BIGINT,
    next_due BIGINT,
    environment TEXT NOT NULL,
    dry_run BOOLEAN NOT NULL,
    requested_by TEXT NOT NULL,
    requested_by_kind TEXT NOT NULL,
    labels TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    steps_total BIGINT NOT NULL,
    steps_done BIGINT NOT NULL,
    summary TEXT NOT NULL,
    plan_digest TEXT COLLATE "C" NOT NULL,
    -- JSON: the parent of a child, or the execution that a replay repeats.
    origin TEXT,
    priority BIGINT NOT NULL DEFAULT 0,
    concurrency_key TEXT,
    -- Since when it is being removed, in parts: nobody sees it any more.
    purged_at BIGINT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, plan_digest) REFERENCES plans (tenant_id, digest)
) WITH (fillfactor = 80);
CREATE INDEX executions_intent ON executions (tenant_id, intent_uid, id);
CREATE INDEX executions_status ON executions (tenant_id, status, id);
CREATE INDEX executions_intent_status ON executions (tenant_id, intent_uid, status, id);
CREATE INDEX executions_open ON executions (tenant_id, id) WHERE ended_at IS NULL;
CREATE INDEX executions_owned ON executions (owner, tenant_id, id) WHERE ended_at IS NULL;
CREATE INDEX executions_concurrency ON executions (tenant_id, intent_uid, concurrency_key, id)
    WHERE ended_at IS NULL AND concurrency_key IS NOT NULL;
CREATE INDEX executions_queued ON executions (tenant_id, priority DESC, id) WHERE status = 'queued';
CREATE INDEX executions_purged ON executions (tenant_id, id) WHERE purged_at IS NOT NULL;
CREATE INDEX executions_ended ON executions (tenant_id, ended_at, id) WHERE ended_at IS NOT NULL;
CREATE INDEX executions_plan ON executions (tenant_id, plan_digest);
CREATE INDEX executions_origin ON executions
    (tenant_id, (coalesce(CAST(origin AS json) ->> 'parent', CAST(origin AS json) ->> 'of')))
    WHERE ended_at IS NULL AND origin IS NOT NULL;

CREATE TABLE execution_labels (
    tenant_id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    execution_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, key, value, execution_id),
    FOREIGN KEY (tenant_id, execution_id) REFERENCES executions (tenant_id, id)
);
CREATE INDEX execution_labels_execution ON execution_labels (tenant_id, execution_id);

-- One row a commit: the events first_seq to last_seq as a JSON array.
CREATE TABLE journal (
    tenant_id TEXT COLLATE "C" NOT NULL,
    execution_id TEXT COLLATE "C" NOT NULL,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    events TEXT NOT NULL,
    -- Of the execution, in its first row only: it never changes, and can be large.
    input TEXT,
    PRIMARY KEY (tenant_id, execution_id, first_seq),
    FOREIGN KEY (tenant_id, execution_id) REFERENCES executions (tenant_id, id)
);

CREATE TABLE logs (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    execution_id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    step_id TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    at BIGINT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (tenant_id, execution_id, number)
);

CREATE TABLE idempotency_keys (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    principal_id TEXT COLLATE "C" NOT NULL,
    route TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT NOT NULL,
    response TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, principal_id, route, key)
);
CREATE INDEX idempotency_keys_at ON idempotency_keys (tenant_id, at);

CREATE TABLE installations (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    plugin TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    component TEXT NOT NULL,
    manifest TEXT NOT NULL,
    consent TEXT NOT NULL,
    settings TEXT NOT NULL,
    trust TEXT NOT NULL,
    signature TEXT NOT NULL,
    installed_by TEXT NOT NULL,
    installed_at BIGINT NOT NULL,
    active BOOLEAN NOT NULL,
    PRIMARY KEY (tenant_id, plugin, version)
);

-- A tenant without a row has the defaults, which are revision 0.
CREATE TABLE tenant_settings (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    revision BIGINT NOT NULL,
    -- As it was written: keys that are left out have the defaults of whoever reads it.
    document TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id)
);

-- Content that a tenant knows. Its bytes lie beside the database, by digest, once for all tenants that have the same; a
-- tenant without a row has no such artifact.
CREATE TABLE artifacts (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    digest TEXT COLLATE "C" NOT NULL,
    bytes BIGINT NOT NULL,
    media_type TEXT,
    created_at BIGINT NOT NULL,
    -- Since when no name holds it. NULL: it is held.
    unheld_at BIGINT,
    PRIMARY KEY (tenant_id, digest)
);
CREATE INDEX artifacts_digest ON artifacts (digest);
CREATE INDEX artifacts_unheld ON artifacts (tenant_id, unheld_at) WHERE unheld_at IS NOT NULL;

CREATE TABLE artifact_names (
    tenant_id TEXT COLLATE "C" NOT NULL,
    -- '': a name of the tenant itself.
    execution_id TEXT COLLATE "C" NOT NULL,
    -- What has no name is held under its digest.
    name TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, execution_id, name),
    FOREIGN KEY (tenant_id, digest) REFERENCES artifacts (tenant_id, digest)
);
CREATE INDEX artifact_names_digest ON artifact_names (tenant_id, digest);
CREATE INDEX artifact_names_at ON artifact_names (at) WHERE execution_id <> '';

CREATE TABLE artifact_usage (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    artifacts BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (tenant_id)
);

-- Sums that bound a tenant are kept by triggers, so that no way of adding or removing rows can forget them.
CREATE FUNCTION app.artifact_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO artifact_usage AS u (tenant_id, artifacts, bytes) VALUES (new.tenant_id, 1, new.bytes)
        ON CONFLICT (tenant_id) DO UPDATE SET artifacts = u.artifacts + 1, bytes = u.bytes + excluded.bytes;
    RETURN NULL;
END $$;
CREATE FUNCTION app.artifact_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE artifact_usage SET artifacts = artifacts - 1, bytes = bytes - old.bytes WHERE tenant_id = old.tenant_id;
    RETURN NULL;
END $$;
CREATE TRIGGER artifacts_added AFTER INSERT ON artifacts FOR EACH ROW EXECUTE FUNCTION app.artifact_added();
CREATE TRIGGER artifacts_removed AFTER DELETE ON artifacts FOR EACH ROW EXECUTE FUNCTION app.artifact_removed();

-- One plugin's values in one tenant. The row stays when they are gone, so that no revision comes back.
CREATE TABLE kv_spaces (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    plugin TEXT COLLATE "C" NOT NULL,
    -- The last one that was given.
    revision BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    -- Of keys and values, expired ones included.
    bytes BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, plugin)
);

CREATE TABLE kv (
    tenant_id TEXT COLLATE "C" NOT NULL,
    plugin TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value BYTEA NOT NULL,
    revision BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (tenant_id, plugin, key),
    FOREIGN KEY (tenant_id, plugin) REFERENCES kv_spaces (tenant_id, plugin)
);
CREATE INDEX kv_expiry ON kv (tenant_id, plugin, expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX kv_expired ON kv (expires_at) WHERE expires_at IS NOT NULL;

CREATE FUNCTION app.kv_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE kv_spaces SET entries = entries + 1, bytes = bytes + octet_length(new.key) + octet_length(new.value)
        WHERE tenant_id = new.tenant_id AND plugin = new.plugin;
    RETURN NULL;
END $$;
CREATE FUNCTION app.kv_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE kv_spaces SET bytes = bytes + octet_length(new.value) - octet_length(old.value)
        WHERE tenant_id = new.tenant_id AND plugin = new.plugin;
    RETURN NULL;
END $$;
CREATE FUNCTION app.kv_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE kv_spaces SET entries = entries - 1, bytes = bytes - octet_length(old.key) - octet_length(old.value)
        WHERE tenant_id = old.tenant_id AND plugin = old.plugin;
    RETURN NULL;
END $$;
CREATE TRIGGER kv_added AFTER INSERT ON kv FOR EACH ROW EXECUTE FUNCTION app.kv_added();
CREATE TRIGGER kv_changed AFTER UPDATE OF value ON kv FOR EACH ROW EXECUTE FUNCTION app.kv_changed();
CREATE TRIGGER kv_removed AFTER DELETE ON kv FOR EACH ROW EXECUTE FUNCTION app.kv_removed();

-- What a tenant's secrets are encrypted with, itself encrypted under a master key that is not in the database.
CREATE TABLE tenant_keys (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    version BIGINT NOT NULL,
    -- Which master key wrapped it; tells nothing of the key itself.
    master TEXT NOT NULL,
    wrapped BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, version)
);

CREATE TABLE secrets (
    tenant_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    ciphertext BYTEA NOT NULL,
    nonce BYTEA NOT NULL,
    key_version BIGINT NOT NULL,
    -- A JSON array of host patterns.
    hosts TEXT NOT NULL,
    expires_at BIGINT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, name, environment),
    FOREIGN KEY (tenant_id, key_version) REFERENCES tenant_keys (tenant_id, version)
);
CREATE INDEX secrets_key ON secrets (tenant_id, key_version);

-- Processes that work on this database. What an execution's `owner` names is a node; it may be taken over when that node
-- has no row here, or its lease is over.
CREATE TABLE nodes (
    -- New at every start of a process.
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    -- Where its API is reached. NULL: it does not say.
    url TEXT,
    started_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    -- It takes no new work, and is about to end.
    draining BOOLEAN NOT NULL
);

-- What one node does for all. It leads as long as its lease in `nodes` lasts.
CREATE TABLE leaders (
    name TEXT COLLATE "C" PRIMARY KEY,
    node TEXT COLLATE "C" NOT NULL
);

-- Data folders whose content is being moved into this database. No host starts while there is a row: it would serve a part
-- of the tenants.
CREATE TABLE transfers (
    -- Path of the data folder.
    source TEXT COLLATE "C" PRIMARY KEY,
    begun_at BIGINT NOT NULL
);

-- What a node asks of the one that owns an execution. Gone once whoever asked has read the answer.
CREATE TABLE commands (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    id TEXT COLLATE "C" NOT NULL,
    execution_id TEXT COLLATE "C" NOT NULL,
    -- For whom it was meant, and who has taken it.
    node TEXT COLLATE "C" NOT NULL,
    -- JSON
    command TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    taken BOOLEAN NOT NULL,
    -- JSON. NULL: there is none yet.
    answer TEXT,
    -- For who does not see the answer.
    answered BOOLEAN NOT NULL GENERATED ALWAYS AS (answer IS NOT NULL) STORED,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX commands_open ON commands (id) WHERE NOT answered;
CREATE INDEX commands_asked ON commands (asked_at);

-- Counts what people change in a tenant, in the transaction of the change: other nodes see by it that what they keep in
-- memory is old.
CREATE TABLE changes (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    number BIGINT NOT NULL,
    PRIMARY KEY (tenant_id)
);

CREATE FUNCTION app.changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes AS c (tenant_id, number) VALUES (app.tenant(), 1)
        ON CONFLICT (tenant_id) DO UPDATE SET number = c.number + 1;
    RETURN NULL;
END $$;
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['memberships', 'intents', 'blueprints', 'schedules', 'installations', 'tenant_settings'] LOOP
        EXECUTE format('CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION app.changed()', name);
    END LOOP;
END $$;
