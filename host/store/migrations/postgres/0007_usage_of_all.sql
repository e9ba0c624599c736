-- oldest schema beside it: 1, oldest binary beside it: 0.1.0
--
-- What each tenant used, for administrators of the host.

CREATE POLICY reading ON usage_sums FOR SELECT TO app_reader USING ((SELECT app.tenants()) @> ARRAY[tenant_id]);
GRANT SELECT ON usage_sums TO app_reader;
