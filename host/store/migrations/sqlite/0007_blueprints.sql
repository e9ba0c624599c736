-- oldest schema beside it: 2, oldest binary beside it: 0.1.0

-- Templates that give steps to intents of their name. One row a revision; what an execution was made from can be read
-- when the blueprint is another by now, or gone.
CREATE TABLE blueprints (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    description TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    -- NULL: this revision is a removal.
    document TEXT,
    PRIMARY KEY (tenant_id, name, revision)
) STRICT;
