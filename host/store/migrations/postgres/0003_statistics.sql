-- oldest schema beside it: 1, oldest binary beside it: 0.1.0
--
-- What the planner knows of a table. Until the server has looked at a new one by itself, which takes up to a minute,
-- statements keep the plan that was made when the table was empty: every index was as good as any other then.

-- Looks at the tables that have not been looked at since they had an eighth of their size. Only their owner may, and a
-- login of hosts owns none.
CREATE FUNCTION app.learn() RETURNS BOOLEAN LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE grown regclass;
BEGIN
    -- One of the nodes is enough.
    IF NOT pg_try_advisory_xact_lock(1903520111) THEN
        RETURN FALSE;
    END IF;
    FOR grown IN
        SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
            AND pg_relation_size(c.oid) > 8 * greatest(c.relpages, 1) * current_setting('block_size')::bigint
    LOOP
        EXECUTE format('ANALYZE (SKIP_LOCKED) %s', grown);
    END LOOP;
    RETURN TRUE;
END $$;
REVOKE EXECUTE ON FUNCTION app.learn() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.learn() TO app_platform;
