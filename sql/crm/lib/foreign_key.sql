-- Adds a foreign key to a table that this run created, where what it points to can be pointed to: a table with a key
-- on id, of an owner who lets us. Tables that were there keep the references that their owner gave them.

CREATE PROCEDURE pg_temp.crm_foreign_key(p_name text, p_column text, p_target text, p_on_delete text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_temp.crm_was_created(p_name) OR NOT pg_temp.crm_is_table(p_target)
       OR NOT pg_temp.crm_has_key(p_target, ARRAY['id'], NULL) THEN
        RETURN;
    END IF;
    EXECUTE pg_catalog.format('ALTER TABLE %I.%I ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES %I.%I (id) ON DELETE %s',
        pg_temp.crm_schema(), p_name, p_name || '_' || p_column || '_fkey', p_column,
        pg_temp.crm_schema(), p_target, p_on_delete);
EXCEPTION WHEN insufficient_privilege OR datatype_mismatch THEN
    RAISE NOTICE 'no foreign key from %.% to %: %', p_name, p_column, p_target, SQLERRM;
END
$$;
