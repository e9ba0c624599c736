-- oldest schema beside it: 4, oldest binary beside it: 0.1.0
--
-- Where an execution comes from, which of the waiting ones goes first, and with which others it is counted together.

-- JSON: the parent of a child, or the execution that a replay repeats.
ALTER TABLE executions ADD COLUMN origin TEXT;
ALTER TABLE executions ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN concurrency_key TEXT;

CREATE INDEX executions_concurrency ON executions (tenant_id, intent_uid, concurrency_key, id)
    WHERE ended_at IS NULL AND concurrency_key IS NOT NULL;
CREATE INDEX executions_queued ON executions (tenant_id, priority DESC, id) WHERE status = 'queued';
