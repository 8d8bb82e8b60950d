-- What one run of install.sql knows: the schema, the role that new tables go to, and which tables this run created.
-- The helpers live in pg_temp, so that nothing of them is left in the database.

CREATE TEMPORARY TABLE crm_created (table_name text NOT NULL PRIMARY KEY) ON COMMIT DROP;

-- What the role that runs this may not do.
CREATE TEMPORARY TABLE crm_left_out (statement text NOT NULL) ON COMMIT DROP;

CREATE FUNCTION pg_temp.crm_schema() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $sql$ SELECT pg_catalog.current_setting('crm_install.schema') $sql$;

-- The table or view of that name in the CRM schema; NULL where there is none.
CREATE FUNCTION pg_temp.crm_relation(p_name text) RETURNS regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $sql$ SELECT pg_catalog.to_regclass(pg_catalog.format('%I.%I', pg_temp.crm_schema(), p_name)) $sql$;

-- The name, or where it is taken the first with a number that is not: a table that was renamed keeps the names of its indexes.
CREATE FUNCTION pg_temp.crm_free_name(p_name text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $sql$ SELECT f.name
        FROM pg_catalog.generate_series(0, 100) AS n (n)
        CROSS JOIN LATERAL (SELECT CASE n.n WHEN 0 THEN p_name ELSE p_name || n.n END AS name) AS f
        WHERE pg_temp.crm_relation(f.name) IS NULL ORDER BY n.n LIMIT 1 $sql$;

-- True for what can have columns, keys and indexes added: a plain or a partitioned table.
CREATE FUNCTION pg_temp.crm_is_table(p_name text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $sql$ SELECT EXISTS (SELECT FROM pg_catalog.pg_class c
               WHERE c.oid = pg_temp.crm_relation(p_name) AND c.relkind IN ('r', 'p')) $sql$;

CREATE FUNCTION pg_temp.crm_was_created(p_name text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $sql$ SELECT EXISTS (SELECT FROM pg_temp.crm_created WHERE table_name = p_name) $sql$;

CREATE FUNCTION pg_temp.crm_is_superuser() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $sql$ SELECT (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER) $sql$;

-- The ordinary role that already owns the scores, or else the contacts; NULL where only superusers own them.
CREATE FUNCTION pg_temp.crm_present_owner() RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $sql$ SELECT (SELECT r.rolname
        FROM pg_catalog.unnest(ARRAY['deal_health_scores', 'relationship_health_scores', 'contacts'])
             WITH ORDINALITY AS t(table_name, place)
        JOIN pg_catalog.pg_class c ON c.oid = pg_temp.crm_relation(t.table_name)
        JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
        WHERE NOT r.rolsuper ORDER BY t.place LIMIT 1) $sql$;

-- crm_health_owner can do nothing but own: no login, no superuser. BYPASSRLS, because the refresh runs as the owner
-- of the scores and has to see the rows of every user, also in source tables that somebody else owns.
CREATE PROCEDURE pg_temp.crm_create_owner_role()
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'crm_health_owner') THEN
        CREATE ROLE crm_health_owner NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS;
        COMMENT ON ROLE crm_health_owner IS 'owns the CRM tables; crm_health reads and writes as this role';
    ELSIF NOT (SELECT rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = 'crm_health_owner') THEN
        RAISE NOTICE 'role crm_health_owner lacks BYPASSRLS: a refresh will not see rows that policies of other owners hide'
            USING HINT = 'ALTER ROLE crm_health_owner BYPASSRLS;';
    END IF;
END
$$;

-- Checks the schema and settles who will own what this run creates.
CREATE PROCEDURE pg_temp.crm_open()
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_owner text := CURRENT_USER;
BEGIN
    IF pg_catalog.to_regnamespace(pg_catalog.quote_ident(pg_temp.crm_schema())) IS NULL THEN
        RAISE EXCEPTION 'schema "%" does not exist', pg_temp.crm_schema()
            USING ERRCODE = 'invalid_schema_name',
                  HINT = pg_catalog.format('CREATE SCHEMA %I; and run this script again', pg_temp.crm_schema());
    END IF;
    IF pg_temp.crm_is_superuser() THEN
        v_owner := pg_temp.crm_present_owner();
        IF v_owner IS NULL THEN
            CALL pg_temp.crm_create_owner_role();
            v_owner := 'crm_health_owner';
        END IF;
    END IF;
    PERFORM pg_catalog.set_config('crm_install.owner', v_owner, true);
END
$$;

-- Says what was done, once, and only where something was.
CREATE PROCEDURE pg_temp.crm_close()
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_created text := (SELECT pg_catalog.string_agg(table_name, ', ' ORDER BY table_name) FROM pg_temp.crm_created);
    v_left_out text[] := ARRAY(SELECT statement FROM pg_temp.crm_left_out ORDER BY statement);
BEGIN
    IF v_created IS NOT NULL THEN
        RAISE NOTICE 'created in schema %, owned by %: %', pg_temp.crm_schema(),
            pg_catalog.current_setting('crm_install.owner'), v_created;
        IF NOT pg_temp.crm_is_superuser() THEN
            RAISE NOTICE 'not run by a superuser: no role was created, % owns the new tables', CURRENT_USER;
        END IF;
    END IF;
    IF v_left_out <> '{}' THEN
        RAISE NOTICE 'left out: % grants that % may not give', pg_catalog.cardinality(v_left_out), CURRENT_USER
            USING HINT = 'run this script as a superuser too, or: ' || pg_catalog.array_to_string(v_left_out, '; ');
    END IF;
END
$$;
