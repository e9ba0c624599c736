-- oldest schema beside it: 8, oldest binary beside it: 0.1.0
--
-- What keeps an execution that is over its time: those that come from it and have not ended. From here on rows have
-- `purged_at`, and a program that does not look at it would show executions of which parts are gone.

CREATE INDEX executions_origin ON executions
    (tenant_id, coalesce(json_extract(origin, '$.parent'), json_extract(origin, '$.of')))
    WHERE ended_at IS NULL AND origin IS NOT NULL;
