-- oldest schema beside it: 2, oldest binary beside it: 0.1.0
--
-- What an administrator sets for a tenant, and what its retention needs.

-- A tenant without a row has the defaults, which are revision 0.
CREATE TABLE tenant_settings (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    revision INTEGER NOT NULL,
    -- As it was written: keys that are left out have the defaults of whoever reads it.
    document TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id)
) STRICT;

-- What the definition names, so that a change of the tenant's targets finds the versions that it classifies anew.
ALTER TABLE intent_versions ADD COLUMN target TEXT
    GENERATED ALWAYS AS (CASE json_type(definition, '$.target') WHEN 'text' THEN json_extract(definition, '$.target') END);
CREATE INDEX intent_versions_target ON intent_versions (tenant_id, target) WHERE target IS NOT NULL;

-- Since when an execution is being removed, in parts: nobody sees it any more.
ALTER TABLE executions ADD COLUMN purged_at INTEGER;
CREATE INDEX executions_purged ON executions (tenant_id, id) WHERE purged_at IS NOT NULL;
-- What is over its time.
CREATE INDEX executions_ended ON executions (tenant_id, ended_at, id) WHERE ended_at IS NOT NULL;
-- What a row that is removed is looked for in: who needs the plan, and labels of the execution.
CREATE INDEX executions_plan ON executions (tenant_id, plan_digest);
CREATE INDEX execution_labels_execution ON execution_labels (tenant_id, execution_id);
