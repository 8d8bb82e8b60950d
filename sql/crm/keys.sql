-- Unique keys, each unless an equivalent one is there. On tables created by this run the primary keys are there already.

-- Rows are found by id everywhere.
DO $$
DECLARE
    v_name text;
BEGIN
    FOREACH v_name IN ARRAY ARRAY[
        'profiles', 'deal_stages', 'companies', 'contacts', 'deals', 'meetings', 'activities', 'communication_events',
        'google_integrations', 'deal_health_scores', 'relationship_health_scores', 'deal_health_history',
        'relationship_health_history', 'deal_health_rules', 'deal_health_alerts', 'ghost_detection_signals'] LOOP
        CALL pg_temp.crm_key(v_name || '_id_key', v_name, ARRAY['id'], 'one row for each id');
    END LOOP;
END
$$;

CALL pg_temp.crm_key('meeting_contacts_meeting_id_contact_id_key', 'meeting_contacts', ARRAY['meeting_id', 'contact_id'],
    'a contact takes part in a meeting once');
CALL pg_temp.crm_key('deal_meetings_deal_id_meeting_id_key', 'deal_meetings', ARRAY['deal_id', 'meeting_id'],
    'a meeting counts once for a deal');
CALL pg_temp.crm_key('communication_events_mail_key', 'communication_events',
    ARRAY['user_id', 'external_source', 'external_id', 'contact_id'],
    'one row for each mail of a mailbox and contact on it, however often it is synced');
CALL pg_temp.crm_key('google_integrations_user_id_email_key', 'google_integrations', ARRAY['user_id', 'email'],
    'a mailbox is connected once for each user');

-- Without these two refreshes at once would double a score.
CALL pg_temp.crm_key('deal_health_scores_deal_id_key', 'deal_health_scores', ARRAY['deal_id'],
    'one score for each deal', p_required => true);
CALL pg_temp.crm_key('relationship_health_scores_user_id_contact_id_key', 'relationship_health_scores',
    ARRAY['user_id', 'contact_id'], 'one score for each user and contact', p_required => true);
CALL pg_temp.crm_key('relationship_health_scores_user_id_company_id_key', 'relationship_health_scores',
    ARRAY['user_id', 'company_id'], 'one score for each user and company', p_required => true);
CALL pg_temp.crm_key('deal_health_alerts_active_key', 'deal_health_alerts', ARRAY['deal_id', 'alert_type'],
    'one active alert for each deal and type', p_predicate => $$status = 'active'$$);
CALL pg_temp.crm_key('ghost_detection_signals_open_key', 'ghost_detection_signals',
    ARRAY['relationship_health_id', 'signal_type'], 'one open signal for each relationship and type',
    p_predicate => 'resolved_at IS NULL');
