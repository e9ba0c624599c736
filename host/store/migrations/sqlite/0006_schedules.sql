-- oldest schema beside it: 2, oldest binary beside it: 0.1.0
--
-- Schedules, and how far each one is. `document`, `paused`, `owner` and `revision` are people's, the columns below
-- `handled_until` the engine's: neither writes the other's, so that no update is lost.

CREATE TABLE schedules (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    uid TEXT NOT NULL,
    name TEXT NOT NULL,
    intent_uid TEXT NOT NULL,
    document TEXT NOT NULL,
    paused INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    -- In whose name executions are started.
    owner TEXT NOT NULL,
    owner_kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Nothing that was due until then is looked at again. Never becomes less.
    handled_until INTEGER NOT NULL,
    -- A due time that starts when nothing of the schedule runs any more.
    waiting INTEGER,
    -- When it is looked at next. NULL: it is paused, or nothing is due any more.
    next_at INTEGER,
    progress TEXT NOT NULL,
    PRIMARY KEY (tenant_id, uid),
    UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id, intent_uid) REFERENCES intents (tenant_id, uid)
) STRICT;
CREATE INDEX schedules_intent ON schedules (tenant_id, intent_uid, name);
CREATE INDEX schedules_next ON schedules (next_at, tenant_id, uid) WHERE next_at IS NOT NULL;
