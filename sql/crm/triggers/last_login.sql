-- Keeps profiles.last_login_at from auth.users.last_sign_in_at, where that table exists: who logged in lately is whom
-- the scheduled refresh serves. A login must never fail or wait because of it: it gives up a lock after a second, and
-- any error is a warning in the log.

DO $outer$
DECLARE
    v_users regclass := pg_catalog.to_regclass('auth.users');
    v_function text := pg_catalog.format('%I.crm_keep_last_login()', pg_temp.crm_schema());
    v_owner oid := (SELECT relowner FROM pg_catalog.pg_class WHERE oid = pg_temp.crm_relation('profiles'));
BEGIN
    IF v_users IS NULL OR NOT pg_temp.crm_is_table('profiles')
       OR NOT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = v_users AND attname = 'last_sign_in_at')
       OR EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = v_users AND tgname = 'crm_keep_last_login') THEN
        RETURN;
    END IF;
    -- One left over from an earlier run is made anew; one that somebody else put there must not run at a login.
    IF EXISTS (SELECT FROM pg_catalog.pg_proc WHERE oid = pg_catalog.to_regprocedure(v_function) AND proowner <> v_owner) THEN
        RAISE NOTICE 'last_login_at is not kept from auth.users: function % belongs to somebody else', v_function;
        RETURN;
    END IF;
    IF pg_catalog.to_regprocedure(v_function) IS NOT NULL THEN
        EXECUTE pg_catalog.format('DROP FUNCTION %s', v_function);
    END IF;
    EXECUTE pg_catalog.format($function$
        CREATE FUNCTION %1$s RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $body$
        BEGIN
            UPDATE %2$I.profiles p SET last_login_at = NEW.last_sign_in_at
            WHERE p.id = NEW.id AND p.last_login_at IS DISTINCT FROM NEW.last_sign_in_at;
            RETURN NULL;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'profiles.last_login_at was not kept for user %%: %%', NEW.id, SQLERRM;
            RETURN NULL;
        END
        $body$
        $function$, v_function, pg_temp.crm_schema());
    EXECUTE pg_catalog.format('COMMENT ON FUNCTION %s IS %L', v_function,
        'trigger of auth.users: keeps profiles.last_login_at; never fails a login');
    EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function);
    EXECUTE pg_catalog.format('CREATE TRIGGER crm_keep_last_login AFTER INSERT OR UPDATE OF last_sign_in_at ON %s '
        'FOR EACH ROW WHEN (NEW.last_sign_in_at IS NOT NULL) EXECUTE FUNCTION %s', v_users, v_function);
    -- The rights of whoever owns the row it writes, and no more.
    IF pg_temp.crm_is_superuser() THEN
        EXECUTE pg_catalog.format('ALTER FUNCTION %s OWNER TO %I', v_function,
            pg_catalog.pg_get_userbyid(v_owner));
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'last_login_at is not kept from auth.users: %', SQLERRM;
END
$outer$;
