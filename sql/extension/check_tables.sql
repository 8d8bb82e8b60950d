-- The parts of check_install() that look at tables: columns, rights and indexes. All of it is in the catalog, which anyone may
-- read; so these are no SECURITY DEFINER functions, and need no USAGE on the CRM's schema.

-- How the script of the CRM tables is called for a schema. Whoever pastes it has a shell before them.
CREATE FUNCTION crm_health.install_command(p_schema text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE p_schema WHEN 'public' THEN 'psql -f sql/crm/install.sql' ELSE format('psql -v crm_schema=%I -f sql/crm/install.sql', p_schema) END
$$;
COMMENT ON FUNCTION crm_health.install_command(text) IS 'The command that makes or completes the CRM tables of a schema';

-- What a refresh writes, and as what. Scores, history and words are written with CAST, all else as an assignment.
CREATE FUNCTION crm_health.written_columns()
RETURNS TABLE (table_name text, column_name text, column_type regtype, is_cast boolean)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT k.table_name, x.column_name, k.column_type::regtype, k.table_name ~ '_(scores|history)$' OR k.column_type LIKE 'text%'
  FROM (VALUES
    ('deal_health_scores', 'uuid', 'id deal_id user_id'),
    ('deal_health_scores', 'timestamptz', 'last_calculated_at'),
    ('deal_health_scores', 'float8', 'avg_sentiment_last_3_meetings'),
    ('relationship_health_scores', 'uuid', 'id user_id contact_id company_id'),
    ('relationship_health_scores', 'text', 'relationship_type'),
    ('relationship_health_scores', 'timestamptz', 'last_calculated_at'),
    ('relationship_health_scores', 'int8', 'related_deals_count'),
    ('relationship_health_scores', 'float8', 'total_deal_value at_risk_deal_value'),
    ('deal_health_history', 'uuid', 'deal_id user_id'),
    ('deal_health_history', 'int4', 'overall_health_score stage_velocity_score sentiment_score engagement_score activity_score response_time_score'),
    ('deal_health_history', 'text', 'health_status'),
    ('deal_health_history', 'timestamptz', 'snapshot_at'),
    ('relationship_health_history', 'uuid', 'relationship_health_id user_id'),
    ('relationship_health_history', 'int4', 'overall_health_score communication_frequency_score response_behavior_score engagement_quality_score sentiment_score meeting_pattern_score ghost_probability_percent'),
    ('relationship_health_history', 'text', 'health_status snapshot_reason'),
    ('relationship_health_history', 'bool', 'is_ghost_risk'),
    ('relationship_health_history', 'timestamptz', 'snapshot_at'),
    ('relationship_health_history', 'jsonb', 'changes_from_previous'),
    ('deal_health_alerts', 'uuid', 'deal_id health_score_id user_id'),
    ('deal_health_alerts', 'text', 'alert_type severity title message action_priority status'),
    ('deal_health_alerts', 'text[]', 'suggested_actions'),
    ('deal_health_alerts', 'jsonb', 'metadata'),
    ('deal_health_alerts', 'timestamptz', 'created_at updated_at'),
    ('ghost_detection_signals', 'uuid', 'relationship_health_id user_id'),
    ('ghost_detection_signals', 'text', 'signal_type severity signal_context'),
    ('ghost_detection_signals', 'jsonb', 'signal_data'),
    ('ghost_detection_signals', 'timestamptz', 'detected_at'),
    ('contact_streams', 'uuid', 'user_id target_id'),
    ('contact_streams', 'int8', 'changes members fingerprint'),
    ('contact_streams', 'int4', 'sealed_day'),
    ('contact_streams', 'bytea', 'state')) k (table_name, column_type, names)
  CROSS JOIN LATERAL string_to_table(k.names, ' ') x (column_name)
  UNION ALL
  SELECT CASE t.typname WHEN 'deal_score' THEN 'deal_health_scores' ELSE 'relationship_health_scores' END, a.attname::text, a.atttypid::regtype, true
  FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE t.typnamespace = to_regnamespace('crm_health') AND t.typname IN ('deal_score', 'relationship_score')
    AND a.attname NOT IN ('avg_sentiment', 'sealed_streams')
$$;
COMMENT ON FUNCTION crm_health.written_columns() IS 'The columns that a refresh writes, and the type of what it writes';

-- Whether a value of one type can become one of another: of a domain its base type, of an array its elements.
CREATE FUNCTION crm_health.can_become(p_from regtype, p_to regtype, p_is_cast boolean) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_from pg_type;
  v_to pg_type;
BEGIN
  SELECT * INTO v_from FROM pg_type t WHERE t.oid = p_from;
  SELECT * INTO v_to FROM pg_type t WHERE t.oid = p_to;
  IF v_from.typtype = 'd' OR v_to.typtype = 'd' THEN
    RETURN crm_health.can_become(CASE v_from.typtype WHEN 'd' THEN v_from.typbasetype ELSE v_from.oid END,
                                 CASE v_to.typtype WHEN 'd' THEN v_to.typbasetype ELSE v_to.oid END, p_is_cast);
  END IF;
  -- Texts are made of everything, and with CAST everything is made of texts.
  RETURN v_from.oid = v_to.oid OR v_to.typcategory = 'S' OR p_is_cast AND v_from.typcategory = 'S'
    OR v_from.typcategory = 'A' AND v_to.typcategory = 'A' AND crm_health.can_become(v_from.typelem, v_to.typelem, p_is_cast)
    OR EXISTS (SELECT FROM pg_cast c WHERE c.castsource = v_from.oid AND c.casttarget = v_to.oid AND (p_is_cast OR c.castcontext <> 'e'));
END
$$;
COMMENT ON FUNCTION crm_health.can_become(regtype, regtype, boolean) IS 'Whether a value of the first type can be made one of the second, by CAST or as an assignment';

CREATE FUNCTION crm_health.check_columns(p_schema text) RETURNS TABLE (severity text, problem text, hint text)
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT CASE WHEN k.table_role IN ('source', 'score') THEN 'error' ELSE 'warning' END,
           format('there is no table or view %I.%I', p_schema, k.table_name),
           crm_health.install_command(p_schema) || ' in this database makes what is missing, or make a view of that name and shape'
    FROM (SELECT DISTINCT c.table_name, c.table_role FROM crm_health.crm_columns() c) k
    WHERE crm_health.crm_relation(p_schema, k.table_name) IS NULL AND k.table_role NOT LIKE 'optional %'
    ORDER BY 1, 2;
  RETURN QUERY
    SELECT CASE WHEN k.is_required THEN 'error' ELSE 'warning' END,
           format('%s has no column %I%s', c.oid::regclass, k.column_name,
                  CASE WHEN k.is_required THEN '' ELSE ' (optional: read as unknown)' END),
           CASE WHEN c.relkind IN ('v', 'm') THEN format('add the column to the view %s: %I, of type %s', c.oid::regclass, k.column_name, k.column_type)
                ELSE format('ALTER %s %s ADD COLUMN %I %s', CASE c.relkind WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
                            c.oid::regclass, k.column_name, k.column_type) END
    FROM crm_health.crm_columns() k
    JOIN pg_class c ON c.oid = crm_health.crm_relation(p_schema, k.table_name)
    WHERE (k.is_required OR (k.table_name, k.column_name) NOT IN (('meetings', 'deal_id')))
      AND NOT EXISTS (
        SELECT FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attname = k.column_name AND NOT a.attisdropped)
    ORDER BY 1, 2;
  RETURN QUERY
    SELECT 'error', format('%s is not a plain table: scores cannot be written to it', c.oid::regclass),
           format('rename it, then %s makes the table %I.%I', crm_health.install_command(p_schema), p_schema, k.table_name)
    FROM (SELECT DISTINCT w.table_name FROM crm_health.written_columns() w) k
    JOIN pg_class c ON c.oid = crm_health.crm_relation(p_schema, k.table_name)
    WHERE c.relkind NOT IN ('r', 'p');

  -- Types.
  RETURN QUERY
    SELECT 'error', format('%s.%I is %s, which cannot be read as %s', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), k.column_type),
           CASE WHEN c.relkind IN ('v', 'm') THEN format('give the view %s a column of type %s', c.oid::regclass, k.column_type)
                ELSE format('rename the table, and map it by a view %s with this column as %s: docs/crm-tables.md', c.oid::regclass, k.column_type) END
    FROM crm_health.crm_columns() k
    JOIN pg_class c ON c.oid = crm_health.crm_relation(p_schema, k.table_name)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = k.column_name AND NOT a.attisdropped
    WHERE k.table_role LIKE '%source' AND NOT crm_health.can_become(a.atttypid, k.column_type::regtype, true)
    ORDER BY 2;
  RETURN QUERY
    SELECT 'warning', format('%s.%I is a timestamp without time zone, and is read as UTC', c.oid::regclass, a.attname),
           CASE WHEN c.relkind IN ('v', 'm') THEN format('in the view %s, make it %I AT TIME ZONE the zone that it is in', c.oid::regclass, a.attname)
                ELSE format('ALTER TABLE %1$s ALTER COLUMN %2$I TYPE timestamptz USING %2$I AT TIME ZONE ''UTC'', or the zone that it is in', c.oid::regclass, a.attname)
           END
    FROM crm_health.crm_columns() k
    JOIN pg_class c ON c.oid = crm_health.crm_relation(p_schema, k.table_name)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = k.column_name AND NOT a.attisdropped
    WHERE k.table_role LIKE '%source' AND k.column_type = 'timestamptz' AND a.atttypid = 'timestamp'::regtype
    ORDER BY 2;
  RETURN QUERY
    SELECT 'error', format('%s.%I is %s, and %s is written to it: each refresh fails', c.oid::regclass, a.attname,
                           format_type(a.atttypid, a.atttypmod), w.column_type),
           CASE WHEN crm_health.can_become(a.atttypid, w.column_type, true)
                THEN format('ALTER TABLE %1$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::%3$s', c.oid::regclass, a.attname, w.column_type)
                ELSE format('ALTER TABLE %1$s ALTER COLUMN %2$I DROP NOT NULL; ALTER TABLE %1$s RENAME COLUMN %2$I TO %3$I; ALTER TABLE %1$s ADD COLUMN %2$I %4$s',
                            c.oid::regclass, a.attname, a.attname || '_before', w.column_type) END
    FROM crm_health.written_columns() w
    JOIN pg_class c ON c.oid = crm_health.crm_relation(p_schema, w.table_name) AND c.relkind IN ('r', 'p')
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = w.column_name AND NOT a.attisdropped
    WHERE NOT crm_health.can_become(w.column_type, a.atttypid, w.is_cast)
    ORDER BY 2;

  -- What a written table must be given, and cannot be.
  RETURN QUERY
    SELECT 'error', format('%s.%I must not be NULL, has no default, and is not written: each refresh fails', c.oid::regclass, a.attname),
           CASE WHEN a.attname = 'id' AND a.atttypid = 'uuid'::regtype THEN format('ALTER TABLE %s ALTER COLUMN id SET DEFAULT gen_random_uuid()', c.oid::regclass)
                ELSE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', c.oid::regclass, a.attname) END
    FROM (SELECT DISTINCT w.table_name FROM crm_health.written_columns() w) k
    JOIN pg_class c ON c.oid = crm_health.crm_relation(p_schema, k.table_name) AND c.relkind IN ('r', 'p')
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND t.typdefault IS NULL
      AND NOT EXISTS (SELECT FROM crm_health.written_columns() w WHERE w.table_name = k.table_name AND w.column_name = a.attname)
    ORDER BY 2;
  RETURN QUERY
    SELECT 'warning', format('%s.%I is generated: a refresh leaves it out', c.oid::regclass, a.attname),
           format('ALTER TABLE %1$s DROP COLUMN %2$I; ALTER TABLE %1$s ADD COLUMN %2$I %3$s', c.oid::regclass, a.attname, w.column_type)
    FROM crm_health.written_columns() w
    JOIN pg_class c ON c.oid = crm_health.crm_relation(p_schema, w.table_name)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = w.column_name AND a.attgenerated <> ''
    ORDER BY 2;
END
$$;
COMMENT ON FUNCTION crm_health.check_columns(text) IS 'The part of check_install that looks at tables and columns';
