-- What must be so before anything is changed.
DO $$
DECLARE
    v_schema text;
    v_version text;
BEGIN
    IF NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER) THEN
        RAISE EXCEPTION 'only a superuser can distribute the tables'
            USING ERRCODE = 'insufficient_privilege', HINT = 'connect as a superuser; nothing was changed';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'crm_health') THEN
        RAISE EXCEPTION 'extension crm_health is not in this database'
            USING ERRCODE = 'undefined_object', HINT = 'CREATE EXTENSION crm_health, and sql/crm/install.sql, come first';
    END IF;
    IF pg_catalog.to_regprocedure('crm_health.on_worker(uuid, text, jsonb, jsonb)') IS NULL THEN
        RAISE EXCEPTION 'this version of crm_health cannot be distributed'
            USING ERRCODE = 'feature_not_supported', HINT = 'ALTER EXTENSION crm_health UPDATE';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'citus') THEN
        RAISE EXCEPTION 'extension citus is not in this database'
            USING ERRCODE = 'undefined_object',
                  HINT = 'add citus to shared_preload_libraries on every server, restart, CREATE EXTENSION citus in this database on each, '
                         'and SELECT citus_set_coordinator_host(…), citus_add_node(…): docs/citus.md';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.unnest(pg_catalog.string_to_array(
            pg_catalog.current_setting('shared_preload_libraries'), ',')) l WHERE pg_catalog.btrim(l, ' "') = 'citus') THEN
        RAISE EXCEPTION 'citus is installed, but not in shared_preload_libraries'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'put it first in shared_preload_libraries in postgresql.conf, and restart the server';
    END IF;
    IF (SELECT g.groupid FROM pg_catalog.pg_dist_local_group g) <> 0 THEN
        RAISE EXCEPTION 'this is a worker of the cluster'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'run it on the coordinator; nothing was changed';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_dist_node n WHERE n.groupid = 0) THEN
        RAISE EXCEPTION 'the coordinator is not known to the cluster'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'SELECT citus_set_coordinator_host(''its address'', 5432), by which the workers reach it';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_dist_node n WHERE n.isactive AND n.shouldhaveshards AND n.noderole = 'primary') THEN
        RAISE EXCEPTION 'the cluster has no worker'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'SELECT citus_add_node(''address of a worker'', 5432); or for a cluster of one server, '
                         'SELECT citus_set_node_property(nodename, nodeport, ''shouldhaveshards'', true) FROM pg_dist_node';
    END IF;
    v_schema := crm_health.setting('crm_schema');
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = v_schema) THEN
        RAISE EXCEPTION 'schema "%", named by the setting crm_schema, does not exist', v_schema
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM crm_health.check_install() leads on';
    END IF;
END
$$;
