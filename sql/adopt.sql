-- Puts the extension in the place of plain functions of the same two names.
--
--   psql -d mydb -f sql/adopt.sql        (as a superuser; sql/unadopt.sql takes it back)
--
-- CREATE EXTENSION cannot replace functions that are there. So, in one transaction: every function or procedure
-- public.refresh_deal_health_scores and public.refresh_relationship_health_scores, of any signature, is written down in
-- public.crm_adopted_functions (definition, owner, grants, comment), dropped, and the extension is created. If other
-- objects depend on one of them nothing is changed, and the error lists them. Once the extension is there a second run
-- does nothing.

\set ON_ERROR_STOP on

BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;

DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER) THEN
        RAISE EXCEPTION 'only a superuser can adopt the functions'
            USING ERRCODE = 'insufficient_privilege', HINT = 'CREATE EXTENSION crm_health needs a superuser too';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'crm_health') THEN
        RAISE EXCEPTION 'extension crm_health is not installed on this server'
            USING ERRCODE = 'undefined_file', HINT = 'install its package first; nothing was changed';
    END IF;
    IF pg_catalog.to_regclass('public.crm_adopted_functions') IS NOT NULL
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'crm_health') THEN
        RAISE EXCEPTION 'public.crm_adopted_functions is there, but the extension is not'
            USING ERRCODE = 'duplicate_table',
                  HINT = 'run sql/unadopt.sql first, or drop the table if it is of no use any more';
    END IF;
END
$$;

-- The functions to adopt: of the two names, in public, and not the extension's own.
CREATE TEMPORARY TABLE crm_to_adopt ON COMMIT DROP AS
SELECT p.oid, p.oid::regprocedure::text AS signature, p.prokind
FROM pg_catalog.pg_proc p
WHERE p.pronamespace = pg_catalog.to_regnamespace('public')
  AND p.proname IN ('refresh_deal_health_scores', 'refresh_relationship_health_scores')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e');

DO $$
DECLARE
    v_dependents text;
BEGIN
    SELECT pg_catalog.string_agg(pg_catalog.format('%s needs %s',
               pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid), f.signature), E'\n') INTO v_dependents
    FROM pg_temp.crm_to_adopt f
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_proc'::regclass AND d.refobjid = f.oid;
    IF v_dependents IS NOT NULL THEN
        RAISE EXCEPTION 'other objects depend on the functions to adopt'
            USING ERRCODE = 'dependent_objects_still_exist', DETAIL = v_dependents,
                  HINT = 'drop them, run this script again, and create them anew over the functions of the extension';
    END IF;
    IF EXISTS (SELECT FROM pg_temp.crm_to_adopt WHERE prokind NOT IN ('f', 'p')) THEN
        RAISE EXCEPTION 'an aggregate or a window function has a name to adopt'
            USING ERRCODE = 'wrong_object_type', HINT = 'rename it: only functions and procedures are adopted';
    END IF;
END
$$;

-- Written down as SQL text: role ids would not survive a dump or an upgrade of the server.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'crm_health') THEN
        RAISE NOTICE 'extension crm_health is there already: nothing to adopt';
        RETURN;
    END IF;
    CREATE TABLE public.crm_adopted_functions (
        signature text NOT NULL CONSTRAINT crm_adopted_functions_pkey PRIMARY KEY,
        kind text NOT NULL CONSTRAINT crm_adopted_functions_kind_known CHECK (kind IN ('FUNCTION', 'PROCEDURE')),
        definition text NOT NULL,
        owner text NOT NULL,
        grants text[] NOT NULL,
        remark text,
        adopted_at timestamptz NOT NULL DEFAULT pg_catalog.now()
    );
    COMMENT ON TABLE public.crm_adopted_functions IS
        'functions that crm_health took the place of; sql/unadopt.sql brings them back';
    INSERT INTO public.crm_adopted_functions (signature, kind, definition, owner, grants, remark)
    SELECT f.signature, k.kind, pg_catalog.pg_get_functiondef(f.oid), pg_catalog.pg_get_userbyid(p.proowner),
           ARRAY(
               SELECT pg_catalog.format('GRANT EXECUTE ON %s %s TO %s%s', k.kind, f.signature,
                   CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END,
                   CASE WHEN x.is_grantable AND x.grantee <> p.proowner THEN ' WITH GRANT OPTION' ELSE '' END)
               FROM pg_catalog.aclexplode(COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))) x),
           pg_catalog.obj_description(f.oid, 'pg_proc')
    FROM pg_temp.crm_to_adopt f
    JOIN pg_catalog.pg_proc p ON p.oid = f.oid
    CROSS JOIN LATERAL (SELECT CASE f.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind) AS k;
END
$$;

-- sql/unadopt.sql runs what stands in that table: nobody but its owner may write or read there, whatever the default
-- privileges of the schema say.
DO $$
DECLARE
    v_grantee text;
BEGIN
    FOR v_grantee IN
        SELECT DISTINCT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END
        FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) x
        WHERE c.oid = pg_catalog.to_regclass('public.crm_adopted_functions') AND x.grantee <> c.relowner
    LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON public.crm_adopted_functions FROM %s', v_grantee);
    END LOOP;
END
$$;

DO $$
DECLARE
    v_signature text;
    v_callers text;
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'crm_health') THEN
        RETURN;
    END IF;
    FOR v_signature IN SELECT signature FROM pg_temp.crm_to_adopt LOOP
        EXECUTE 'DROP ROUTINE ' || v_signature;
        RAISE NOTICE 'adopted %', v_signature;
    END LOOP;
    CREATE EXTENSION crm_health;
    -- The functions of the extension start with grants of their own; a person decides who else may call them.
    SELECT pg_catalog.string_agg(g, '; ') INTO v_callers
    FROM public.crm_adopted_functions f CROSS JOIN LATERAL pg_catalog.unnest(f.grants) AS g;
    IF v_callers IS NOT NULL THEN
        RAISE NOTICE 'these grants were not carried over: %', v_callers;
    END IF;
END
$$;
COMMIT;
