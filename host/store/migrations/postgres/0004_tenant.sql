-- oldest schema beside it: 1, oldest binary beside it: 0.1.0
--
-- Every read of a tenant's rows asks for its tenant. As plain SQL the server puts the functions into the statement that
-- asks; a call of PL/pgSQL took a third of the server's time for a read by key.

CREATE FUNCTION app.no_tenant() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RAISE EXCEPTION 'no tenant is set in this transaction' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION app.no_tenants() RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RAISE EXCEPTION 'no tenants are set in this transaction' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE FUNCTION app.tenant() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN current_setting('app.current_tenant_id') = '' THEN app.no_tenant()
        ELSE current_setting('app.current_tenant_id') END
$$;

CREATE OR REPLACE FUNCTION app.tenants() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN current_setting('app.current_tenant_ids') = '' THEN app.no_tenants()
        ELSE string_to_array(current_setting('app.current_tenant_ids'), ',') END
$$;
