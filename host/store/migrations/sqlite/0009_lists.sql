-- oldest schema beside it: 8, oldest binary beside it: 0.1.0
--
-- Lists of an intent's executions of one status: without it, all of the intent or all of the status are read when few
-- are both.

CREATE INDEX executions_intent_status ON executions (tenant_id, intent_uid, status, id);
