-- oldest schema beside it: 1, oldest binary beside it: 0.1.0
--
-- PostgreSQL writes an entry into each index that has a row whenever it writes the row anew, and an execution is written
-- anew with each commit and each take-over. What is open is in as few as can be: lists of one status read one index of
-- what is open, whose last columns only leave entries out, and others of what has ended, which is written once.

DROP INDEX executions_open;
CREATE INDEX executions_open ON executions (tenant_id, id, status, intent_uid) WHERE ended_at IS NULL;

DROP INDEX executions_status;
CREATE INDEX executions_status ON executions (tenant_id, status, id) WHERE ended_at IS NOT NULL;

DROP INDEX executions_intent_status;
CREATE INDEX executions_intent_status ON executions (tenant_id, intent_uid, status, id) WHERE ended_at IS NOT NULL;
