-- Row level security and grants, on the tables that install.sql created and on no other.

-- Created now, or by an earlier run: its policies tell.
CREATE FUNCTION pg_temp.crm_is_ours(p_name text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $sql$ SELECT pg_temp.crm_was_created(p_name) OR EXISTS (
    SELECT FROM pg_catalog.pg_policy p
    WHERE p.polrelid = pg_temp.crm_relation(p_name) AND pg_catalog.starts_with(p.polname::text, 'crm_')) $sql$;

CREATE FUNCTION pg_temp.crm_role_exists(p_role text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $sql$ SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = p_role) $sql$;

-- The user that a request speaks for: the JWT subject that PostgREST sets. Empty and absent settings are nobody. As a
-- scalar subquery it is worked out once a statement, not once a row.
CREATE FUNCTION pg_temp.crm_subject() RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $sql$ SELECT $subject$(SELECT COALESCE(
    NULLIF(NULLIF(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', ''),
    NULLIF(current_setting('request.jwt.claim.sub', true), ''))::uuid)$subject$ $sql$;

-- $user in p_using stands for the subject, $schema for the CRM schema. The policy is for every role: grants say who gets that
-- far, and whoever comes without a subject sees nothing.
CREATE PROCEDURE pg_temp.crm_policy(p_name text, p_policy text, p_command text, p_using text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_condition text := pg_catalog.replace(pg_catalog.replace(p_using, '$user', pg_temp.crm_subject()),
                                           '$schema', pg_catalog.quote_ident(pg_temp.crm_schema()));
BEGIN
    IF pg_temp.crm_was_created(p_name) THEN
        EXECUTE pg_catalog.format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', pg_temp.crm_schema(), p_name);
        EXECUTE pg_catalog.format('CREATE POLICY %I ON %I.%I FOR %s USING (%s)',
            p_policy, pg_temp.crm_schema(), p_name, p_command, v_condition);
    END IF;
END
$$;

-- service_role sees everything. On Supabase it bypasses policies anyway; elsewhere it needs one.
CREATE PROCEDURE pg_temp.crm_service_policy(p_name text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_temp.crm_is_ours(p_name) AND pg_temp.crm_role_exists('service_role') AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_policy
        WHERE polrelid = pg_temp.crm_relation(p_name) AND polname = 'crm_service_rows') THEN
        EXECUTE pg_catalog.format('CREATE POLICY crm_service_rows ON %I.%I TO service_role USING (true) WITH CHECK (true)',
            pg_temp.crm_schema(), p_name);
    END IF;
END
$$;

-- Runs a GRANT or REVOKE that only an owner may; where this is not the owner, crm_close says so.
CREATE PROCEDURE pg_temp.crm_try(p_statement text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE p_statement;
EXCEPTION WHEN insufficient_privilege THEN
    INSERT INTO pg_temp.crm_left_out VALUES (p_statement);
END
$$;

-- Nothing but what is granted below: default privileges of the schema (Supabase has them for anon and authenticated)
-- would else open the new table, tokens included.
CREATE PROCEDURE pg_temp.crm_close_table(p_name text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_grantee text;
BEGIN
    FOR v_grantee IN
        SELECT DISTINCT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(r.rolname) END
        FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) x
        LEFT JOIN pg_catalog.pg_roles r ON r.oid = x.grantee
        WHERE c.oid = pg_temp.crm_relation(p_name) AND x.grantee <> c.relowner AND pg_temp.crm_was_created(p_name)
    LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON %I.%I FROM %s', pg_temp.crm_schema(), p_name, v_grantee);
    END LOOP;
END
$$;

-- Grants to a role that exists, on a table this run created, or on one of ours where the role is new to it. What was
-- revoked since by hand stays revoked as long as the role holds anything there.
CREATE PROCEDURE pg_temp.crm_grant(p_role text, p_privileges text, p_name text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_temp.crm_role_exists(p_role) AND pg_temp.crm_is_ours(p_name) AND NOT EXISTS (
        SELECT FROM pg_temp.crm_grants_before g WHERE g.table_name = p_name AND g.role_name = p_role) THEN
        EXECUTE pg_catalog.format('GRANT %s ON %I.%I TO %I', p_privileges, pg_temp.crm_schema(), p_name, p_role);
    END IF;
END
$$;
