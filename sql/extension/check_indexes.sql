-- The part of check_install() that looks at keys and indexes, by what they hold and not by their names.

-- Whether an index leads with the columns in this order; a unique one must have exactly these, hold every row but
-- those where one of them is NULL, and not wait for the end of the transaction.
CREATE FUNCTION crm_health.has_index(p_table regclass, p_columns text[], p_unique boolean) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT crm_health.has_index(p_table, p_columns, p_unique, '{}', NULL) $$;
COMMENT ON FUNCTION crm_health.has_index(regclass, text[], boolean) IS 'Whether a table has an index on these columns';

-- The same; it must also hold the columns p_included, and may be over the rows of p_predicate alone.
CREATE FUNCTION crm_health.has_index(p_table regclass, p_columns text[], p_unique boolean, p_included text[], p_predicate text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (
    SELECT FROM pg_index i
    CROSS JOIN LATERAL (
      SELECT array_agg(a.attname::text ORDER BY k.ordinality) FILTER (WHERE k.ordinality <= i.indnkeyatts) AS columns,
             array_agg(a.attname::text) AS held
      FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, ordinality)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    ) x
    -- "((status)::text = 'active'::text)" and "status = 'active'" are one predicate.
    CROSS JOIN LATERAL (SELECT regexp_replace(pg_get_expr(i.indpred, i.indrelid), '[()]|::text|::character varying', '', 'g') AS rows) p
    WHERE i.indrelid = p_table AND i.indisvalid AND x.held @> p_included
      AND (p.rows IS NULL OR p.rows = p_predicate OR p.rows IN (SELECT c || ' IS NOT NULL' FROM unnest(p_columns) c))
      AND CASE WHEN p_unique THEN i.indisunique AND i.indimmediate AND x.columns <@ p_columns AND p_columns <@ x.columns
               ELSE x.columns[1 : cardinality(p_columns)] = p_columns END)
$$;
COMMENT ON FUNCTION crm_health.has_index(regclass, text[], boolean, text[], text)
  IS 'Whether a table has an index on these columns that holds others too, over all rows or those of a predicate';

CREATE FUNCTION crm_health.check_indexes(p_schema text) RETURNS TABLE (severity text, problem text, hint text)
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
#variable_conflict use_column
DECLARE
  -- On a Citus cluster every key has the user.
  v_is_spread CONSTANT boolean := EXISTS (
    SELECT FROM pg_class c WHERE c.relname = 'replaced' AND c.relnamespace = to_regnamespace('crm_health_citus'));
BEGIN
  -- A view's are its own matter.
  RETURN QUERY
    SELECT 'error', format('%s has no unique key on (%s): a refresh could store a score twice', c.oid::regclass, k.key),
           format('CREATE UNIQUE INDEX ON %s (%s)', c.oid::regclass, k.key)
    FROM (VALUES ('deal_health_scores', 'deal_id'), ('relationship_health_scores', 'user_id, contact_id'),
                 ('relationship_health_scores', 'user_id, company_id')) k (table_name, key)
    JOIN pg_class c ON c.oid = crm_health.crm_relation(p_schema, k.table_name) AND c.relkind = 'r'
    WHERE NOT crm_health.has_index(c.oid, string_to_array(k.key, ', '), true)
      AND NOT (v_is_spread AND crm_health.has_index(c.oid, string_to_array(k.key || ', user_id', ', '), true));
  RETURN QUERY
    SELECT 'error', format('unique key %I of %s is DEFERRABLE: each refresh fails, for it cannot wait for the end of the transaction', x.conname, c.oid::regclass),
           format('ALTER TABLE %s DROP CONSTRAINT %I, ADD %s', c.oid::regclass, x.conname,
                  regexp_replace(pg_get_constraintdef(x.oid), ' DEFERRABLE( INITIALLY DEFERRED)?', ''))
    FROM (SELECT DISTINCT w.table_name FROM crm_health.written_columns() w) k
    JOIN pg_class c ON c.oid = crm_health.crm_relation(p_schema, k.table_name)
    JOIN pg_constraint x ON x.conrelid = c.oid AND x.contype IN ('p', 'u') AND x.condeferrable;
  RETURN QUERY
    SELECT 'warning', format('%s has no unique key on (%s) where %s: two refreshes at once could write %s twice', c.oid::regclass, k.key, k.predicate, k.what),
           format('CREATE UNIQUE INDEX ON %s (%s) WHERE %s', c.oid::regclass, k.key, k.predicate)
    FROM (VALUES ('deal_health_alerts', 'deal_id, alert_type', 'status = ''active''', 'an alert'),
                 ('ghost_detection_signals', 'relationship_health_id, signal_type', 'resolved_at IS NULL', 'a signal')) k (table_name, key, predicate, what)
    JOIN pg_class c ON c.oid = crm_health.crm_relation(p_schema, k.table_name) AND c.relkind = 'r'
    WHERE NOT crm_health.has_index(c.oid, string_to_array(k.key, ', '), true, '{}', k.predicate)
      AND NOT (v_is_spread AND crm_health.has_index(c.oid, string_to_array(k.key || ', user_id', ', '), true, '{}', k.predicate))
      AND crm_health.has_columns(c.oid, k.key);
  RETURN QUERY
    SELECT 'warning', format('%s has no index that leads with (%s): %s', c.oid::regclass, k.key, k.why),
           format('CREATE INDEX %sON %s (%s)%s', CASE c.relkind WHEN 'r' THEN 'CONCURRENTLY ' ELSE '' END, c.oid::regclass, k.wanted,
                  coalesce(' WHERE ' || k.predicate, ''))
    FROM (VALUES
      ('communication_events', 'user_id, contact_id', 'user_id, contact_id, event_timestamp DESC', NULL, 'each refresh reads the whole table'),
      ('communication_events', 'user_id, deal_id', 'user_id, deal_id, event_timestamp DESC', 'deal_id IS NOT NULL', 'each refresh of deals reads all events of the user'),
      ('communication_events', 'user_id, company_id', 'user_id, company_id, event_timestamp DESC', 'company_id IS NOT NULL',
       'a refresh of a company reads all events of the user'),
      ('contacts', 'owner_id', 'owner_id', NULL, 'each refresh reads the whole table'),
      ('deals', 'owner_id', 'owner_id', 'status = ''active''', 'each refresh reads the whole table'),
      ('meetings', 'owner_user_id', 'owner_user_id, primary_contact_id', NULL, 'each refresh reads the whole table'),
      ('meeting_contacts', 'contact_id', 'contact_id', NULL, 'each refresh reads the whole table'),
      ('activities', 'user_id', 'user_id, deal_id', NULL, 'each refresh reads the whole table'),
      ('deal_health_scores', 'user_id', 'user_id', NULL, 'whoever looks at the scores of a user reads the whole table'),
      ('deal_health_history', 'deal_id, snapshot_at', 'deal_id, snapshot_at', NULL, 'the course of a deal is found by reading the whole table'),
      ('relationship_health_history', 'relationship_health_id, snapshot_at', 'relationship_health_id, snapshot_at', NULL,
       'the course of a relationship is found by reading the whole table')) k (table_name, key, wanted, predicate, why)
    JOIN pg_class c ON c.oid = crm_health.crm_relation(p_schema, k.table_name) AND c.relkind IN ('r', 'p')
    WHERE NOT crm_health.has_index(c.oid, string_to_array(k.key, ', '), false, '{}', k.predicate)
      AND crm_health.has_columns(c.oid, replace(k.wanted, ' DESC', ''));
  -- What extension/src/refresh/events.rs looks for.
  RETURN QUERY
    SELECT 'warning', format('%s has no index on (user_id, event_timestamp) that holds what a score is made of: each refresh fetches the events one by one', c.oid::regclass),
           format('CREATE INDEX %sON %s (user_id, event_timestamp DESC) INCLUDE (%s)', CASE c.relkind WHEN 'r' THEN 'CONCURRENTLY ' ELSE '' END,
                  c.oid::regclass, array_to_string(h.names, ', '))
    FROM pg_class c
    CROSS JOIN LATERAL (
      SELECT array_agg(a.attname::text ORDER BY a.attnum) AS names FROM pg_attribute a
      WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname IN (
        'id', 'contact_id', 'company_id', 'event_type', 'direction', 'was_replied', 'was_opened', 'response_time_hours', 'sentiment_score',
        'thread_id', 'thread_position', 'external_id', 'external_source')
    ) h
    WHERE c.oid = crm_health.crm_relation(p_schema, 'communication_events') AND c.relkind IN ('r', 'p')
      AND crm_health.has_columns(c.oid, 'user_id, event_timestamp')
      AND NOT crm_health.has_index(c.oid, ARRAY['user_id', 'event_timestamp'], false, h.names, NULL);
  RETURN QUERY
    SELECT 'warning', format('%s has no index of automated mail on (user_id, event_timestamp): each refresh fetches the events one by one', c.oid::regclass),
           format('CREATE INDEX %sON %s (user_id, event_timestamp DESC, id) WHERE metadata ->> ''automated'' = ''true''',
                  CASE c.relkind WHEN 'r' THEN 'CONCURRENTLY ' ELSE '' END, c.oid::regclass)
    FROM pg_class c
    WHERE c.oid = crm_health.crm_relation(p_schema, 'communication_events') AND c.relkind IN ('r', 'p')
      AND crm_health.has_columns(c.oid, 'user_id, event_timestamp, id, metadata')
      AND NOT EXISTS (
        SELECT FROM pg_index i
        WHERE i.indrelid = c.oid AND i.indisvalid AND i.indkey[0] = (SELECT a.attnum FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'user_id')
          AND pg_get_expr(i.indpred, i.indrelid) = $p$((metadata ->> 'automated'::text) = 'true'::text)$p$);
  RETURN QUERY
    SELECT 'warning', format('index %s holds a column that every refresh changes: score updates cannot stay in place', i.indexrelid::regclass),
           format('DROP INDEX CONCURRENTLY %s', i.indexrelid::regclass)
    FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid IN (crm_health.crm_relation(p_schema, 'deal_health_scores'), crm_health.crm_relation(p_schema, 'relationship_health_scores'))
      AND a.attname IN ('last_calculated_at', 'updated_at', 'overall_health_score', 'health_status', 'risk_level', 'is_ghost_risk')
      AND NOT i.indisunique;
END
$$;
COMMENT ON FUNCTION crm_health.check_indexes(text) IS 'The part of check_install that looks at keys and indexes';

-- Whether a relation has all of these columns, which a comma and a blank separate.
CREATE FUNCTION crm_health.has_columns(p_relation regclass, p_columns text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT NOT EXISTS (
    SELECT FROM string_to_table(p_columns, ', ') k
    WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = p_relation AND a.attname = k AND NOT a.attisdropped))
$$;
COMMENT ON FUNCTION crm_health.has_columns(regclass, text) IS 'Whether a relation has all of these columns';
