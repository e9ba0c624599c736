-- oldest schema beside it: 8, oldest binary beside it: 0.1.0
--
-- Nodes that work on the same database. What an execution's `owner` names is a node; it may be taken over when that node
-- has no row here, or its lease is over. (`executions.lease_until` is not used any more.)

CREATE TABLE nodes (
    -- New at every start of a process.
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    -- Where its API is reached. NULL: it does not say.
    url TEXT,
    started_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    -- It takes no new work, and is about to end.
    draining INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What one node does for all. It leads as long as its lease in `nodes` lasts.
CREATE TABLE leaders (
    name TEXT PRIMARY KEY,
    node TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What a node asks of the one that owns an execution. Gone once whoever asked has read the answer.
CREATE TABLE commands (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    -- For whom it was meant, and who has taken it.
    node TEXT NOT NULL,
    -- JSON
    command TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    -- JSON. NULL: there is none yet.
    answer TEXT,
    answered INTEGER NOT NULL GENERATED ALWAYS AS (answer IS NOT NULL) VIRTUAL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX commands_open ON commands (id) WHERE NOT answered;
CREATE INDEX commands_asked ON commands (asked_at);

-- Every open execution has an owner, so that whoever looks for owners that are gone finds it.
UPDATE executions SET owner = 'none' WHERE owner IS NULL AND ended_at IS NULL;
CREATE INDEX executions_owner ON executions (owner, tenant_id, id) WHERE ended_at IS NULL;
