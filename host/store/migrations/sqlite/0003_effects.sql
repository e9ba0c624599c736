-- oldest schema beside it: 2, oldest binary beside it: 0.1.0
--
-- What steps store outside of executions: artifacts, key-value entries, secrets. Sums that bound a tenant are kept by
-- triggers, so that no way of adding or removing rows can forget them.

-- Content that a tenant knows. Its bytes lie in the folder of artifacts, by digest, once for all tenants that have the
-- same; a tenant without a row has no such artifact.
CREATE TABLE artifacts (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    digest TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    media_type TEXT,
    created_at INTEGER NOT NULL,
    -- Since when no name holds it. NULL: it is held.
    unheld_at INTEGER,
    PRIMARY KEY (tenant_id, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifacts_digest ON artifacts (digest);
CREATE INDEX artifacts_unheld ON artifacts (tenant_id, unheld_at) WHERE unheld_at IS NOT NULL;

CREATE TABLE artifact_names (
    tenant_id TEXT NOT NULL,
    -- '': a name of the tenant itself.
    execution_id TEXT NOT NULL,
    -- What has no name is held under its digest.
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, execution_id, name),
    FOREIGN KEY (tenant_id, digest) REFERENCES artifacts (tenant_id, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_names_digest ON artifact_names (tenant_id, digest);
CREATE INDEX artifact_names_at ON artifact_names (at) WHERE execution_id <> '';

CREATE TABLE artifact_usage (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    artifacts INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (tenant_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER artifacts_added AFTER INSERT ON artifacts BEGIN
    INSERT INTO artifact_usage (tenant_id, artifacts, bytes) VALUES (new.tenant_id, 1, new.bytes)
        ON CONFLICT DO UPDATE SET artifacts = artifacts + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER artifacts_removed AFTER DELETE ON artifacts BEGIN
    UPDATE artifact_usage SET artifacts = artifacts - 1, bytes = bytes - old.bytes WHERE tenant_id = old.tenant_id;
END;

-- One plugin's values in one tenant. The row stays when they are gone, so that no revision comes back.
CREATE TABLE kv_spaces (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    plugin TEXT NOT NULL,
    -- The last one that was given.
    revision INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    -- Of keys and values, expired ones included.
    bytes INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, plugin)
) STRICT, WITHOUT ROWID;

CREATE TABLE kv (
    tenant_id TEXT NOT NULL,
    plugin TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    revision INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (tenant_id, plugin, key),
    FOREIGN KEY (tenant_id, plugin) REFERENCES kv_spaces (tenant_id, plugin)
) STRICT;
CREATE INDEX kv_expiry ON kv (tenant_id, plugin, expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX kv_expired ON kv (expires_at) WHERE expires_at IS NOT NULL;

CREATE TRIGGER kv_added AFTER INSERT ON kv BEGIN
    UPDATE kv_spaces SET entries = entries + 1, bytes = bytes + octet_length(new.key) + octet_length(new.value)
        WHERE tenant_id = new.tenant_id AND plugin = new.plugin;
END;
CREATE TRIGGER kv_changed AFTER UPDATE OF value ON kv BEGIN
    UPDATE kv_spaces SET bytes = bytes + octet_length(new.value) - octet_length(old.value)
        WHERE tenant_id = new.tenant_id AND plugin = new.plugin;
END;
CREATE TRIGGER kv_removed AFTER DELETE ON kv BEGIN
    UPDATE kv_spaces SET entries = entries - 1, bytes = bytes - octet_length(old.key) - octet_length(old.value)
        WHERE tenant_id = old.tenant_id AND plugin = old.plugin;
END;

-- What a tenant's secrets are encrypted with, itself encrypted under a master key that is not in the database.
CREATE TABLE tenant_keys (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    version INTEGER NOT NULL,
    -- Which master key wrapped it; tells nothing of the key itself.
    master TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE secrets (
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    environment TEXT NOT NULL,
    ciphertext BLOB NOT NULL,
    nonce BLOB NOT NULL,
    key_version INTEGER NOT NULL,
    -- A JSON array of host patterns.
    hosts TEXT NOT NULL,
    expires_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, name, environment),
    FOREIGN KEY (tenant_id, key_version) REFERENCES tenant_keys (tenant_id, version)
) STRICT;
CREATE INDEX secrets_key ON secrets (tenant_id, key_version);
