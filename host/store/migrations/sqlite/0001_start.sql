-- oldest schema beside it: 1, oldest binary beside it: 0.1.0
--
-- Keys, unique constraints and foreign keys of tenant tables start with tenant_id. Times are milliseconds since the
-- Unix epoch. Tables whose rows can be large keep their rowid, so that keys stay in small pages.

CREATE TABLE tenants (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Known to the whole platform; what a person may do where is in memberships.
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE service_accounts (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE memberships (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    principal_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    roles TEXT NOT NULL,
    active INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, principal_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_of ON memberships (principal_id, tenant_id);

CREATE TABLE intents (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    uid TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    revision INTEGER NOT NULL,
    active_version INTEGER,
    latest_version INTEGER NOT NULL,
    -- Of the version that lists show: the active one, else the latest.
    environment TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    -- rowid in intent_text
    text_id INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, uid),
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, text_id)
) STRICT;
CREATE INDEX intents_environment ON intents (tenant_id, environment, name);
CREATE INDEX intents_status ON intents (tenant_id, status, name);

CREATE TABLE intent_versions (
    tenant_id TEXT NOT NULL,
    intent_uid TEXT NOT NULL,
    number INTEGER NOT NULL,
    status TEXT NOT NULL,
    description TEXT NOT NULL,
    labels TEXT NOT NULL,
    environment TEXT NOT NULL,
    definition TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, intent_uid, number),
    FOREIGN KEY (tenant_id, intent_uid) REFERENCES intents (tenant_id, uid)
) STRICT;

-- Labels of the version that lists show.
CREATE TABLE intent_labels (
    tenant_id TEXT NOT NULL,
    intent_uid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (tenant_id, intent_uid, key),
    FOREIGN KEY (tenant_id, intent_uid) REFERENCES intents (tenant_id, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX intent_labels_value ON intent_labels (tenant_id, key, value, intent_uid);

-- `tenant` holds one word per tenant, which every search asks for.
CREATE VIRTUAL TABLE intent_text USING fts5 (tenant, name, description, content = '', contentless_delete = 1);

CREATE TABLE plans (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    digest TEXT NOT NULL,
    plan TEXT NOT NULL,
    PRIMARY KEY (tenant_id, digest)
) STRICT;

CREATE TABLE executions (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    intent_uid TEXT NOT NULL,
    intent_name TEXT NOT NULL,
    intent_version INTEGER NOT NULL,
    status TEXT NOT NULL,
    -- seq of the last event
    version INTEGER NOT NULL,
    owner TEXT,
    epoch INTEGER NOT NULL,
    lease_until INTEGER,
    next_due INTEGER,
    environment TEXT NOT NULL,
    dry_run INTEGER NOT NULL,
    requested_by TEXT NOT NULL,
    requested_by_kind TEXT NOT NULL,
    labels TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    steps_total INTEGER NOT NULL,
    steps_done INTEGER NOT NULL,
    summary TEXT NOT NULL,
    plan_digest TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, plan_digest) REFERENCES plans (tenant_id, digest)
) STRICT;
CREATE INDEX executions_intent ON executions (tenant_id, intent_uid, id);
CREATE INDEX executions_status ON executions (tenant_id, status, id);
CREATE INDEX executions_open ON executions (tenant_id, id) WHERE ended_at IS NULL;

CREATE TABLE execution_labels (
    tenant_id TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, key, value, execution_id),
    FOREIGN KEY (tenant_id, execution_id) REFERENCES executions (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- One row a commit: the events first_seq to last_seq as a JSON array.
CREATE TABLE journal (
    tenant_id TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    events TEXT NOT NULL,
    -- Of the execution, in its first row only: it never changes, and can be large.
    input TEXT,
    PRIMARY KEY (tenant_id, execution_id, first_seq),
    FOREIGN KEY (tenant_id, execution_id) REFERENCES executions (tenant_id, id)
) STRICT;

CREATE TABLE logs (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    execution_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    step_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (tenant_id, execution_id, number)
) STRICT;

CREATE TABLE idempotency_keys (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    principal_id TEXT NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    response TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, principal_id, route, key)
) STRICT;
CREATE INDEX idempotency_keys_at ON idempotency_keys (at);

CREATE TABLE installations (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    plugin TEXT NOT NULL,
    version TEXT NOT NULL,
    component TEXT NOT NULL,
    manifest TEXT NOT NULL,
    consent TEXT NOT NULL,
    config TEXT NOT NULL,
    trust TEXT NOT NULL,
    signature TEXT NOT NULL,
    installed_by TEXT NOT NULL,
    installed_at INTEGER NOT NULL,
    active INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, plugin, version)
) STRICT;
