-- Merges doubled rows of relationship_health_scores into the newest of each relationship, so that its keys can be added.
-- An older key over (user_id, contact_id, company_id) let them in, for one of the two is always NULL. History and
-- signals of the older rows go over to the row that stays.

DO $outer$
DECLARE
    v_child text;
    v_merged bigint;
BEGIN
    CREATE TEMPORARY TABLE crm_doubled (old_id uuid NOT NULL PRIMARY KEY, kept_id uuid NOT NULL) ON COMMIT DROP;
    IF pg_temp.crm_was_created('relationship_health_scores')
       OR (pg_temp.crm_has_key('relationship_health_scores', ARRAY['user_id', 'contact_id'], NULL)
           AND pg_temp.crm_has_key('relationship_health_scores', ARRAY['user_id', 'company_id'], NULL)) THEN
        RETURN;
    END IF;
    -- The refresh waits: a row it adds between the merge and the key would fail the key.
    EXECUTE pg_catalog.format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', pg_temp.crm_relation('relationship_health_scores'));
    EXECUTE pg_catalog.format($sql$
        INSERT INTO pg_temp.crm_doubled
        SELECT r.id, r.kept_id FROM (
            SELECT s.id, pg_catalog.first_value(s.id) OVER (
                PARTITION BY s.user_id, s.contact_id, s.company_id
                ORDER BY s.last_calculated_at DESC NULLS LAST, s.updated_at DESC NULLS LAST, s.id) AS kept_id
            FROM %s s WHERE s.contact_id IS NULL OR s.company_id IS NULL) r
        WHERE r.id <> r.kept_id$sql$, pg_temp.crm_relation('relationship_health_scores'));
    SELECT pg_catalog.count(*) INTO v_merged FROM pg_temp.crm_doubled;
    IF v_merged = 0 THEN
        RETURN;
    END IF;
    -- Of the open signals of one kind only the newest stays open, else the signals' own key stands against the move.
    IF pg_temp.crm_is_table('ghost_detection_signals') THEN
        EXECUTE pg_catalog.format($sql$
            UPDATE %1$s g SET resolved_at = pg_catalog.now()
            FROM (SELECT s.id, pg_catalog.row_number() OVER (
                      PARTITION BY COALESCE(d.kept_id, s.relationship_health_id), s.signal_type
                      ORDER BY s.detected_at DESC NULLS LAST, s.id) AS place
                  FROM %1$s s LEFT JOIN pg_temp.crm_doubled d ON d.old_id = s.relationship_health_id
                  WHERE s.resolved_at IS NULL
                    AND (d.old_id IS NOT NULL
                         OR s.relationship_health_id IN (SELECT kept_id FROM pg_temp.crm_doubled))) o
            WHERE g.id = o.id AND o.place > 1$sql$, pg_temp.crm_relation('ghost_detection_signals'));
    END IF;
    FOREACH v_child IN ARRAY ARRAY['ghost_detection_signals', 'relationship_health_history'] LOOP
        EXECUTE pg_catalog.format('UPDATE %s c SET relationship_health_id = d.kept_id FROM pg_temp.crm_doubled d '
            'WHERE c.relationship_health_id = d.old_id', pg_temp.crm_relation(v_child));
    END LOOP;
    EXECUTE pg_catalog.format('DELETE FROM %s s USING pg_temp.crm_doubled d WHERE s.id = d.old_id',
        pg_temp.crm_relation('relationship_health_scores'));
    RAISE NOTICE 'merged % doubled rows of relationship_health_scores into the newest of their relationship', v_merged;
END
$outer$;
