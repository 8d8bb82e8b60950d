-- Row level security on the tables that this run created: a user sees and changes her own rows. Tables that were
-- there keep the policies they have.

CALL pg_temp.crm_policy('profiles', 'crm_own_rows', 'ALL', 'id = $user');
CALL pg_temp.crm_policy('companies', 'crm_own_rows', 'ALL', 'owner_id = $user');
CALL pg_temp.crm_policy('contacts', 'crm_own_rows', 'ALL', 'owner_id = $user');
CALL pg_temp.crm_policy('deals', 'crm_own_rows', 'ALL', 'owner_id = $user');
CALL pg_temp.crm_policy('meetings', 'crm_own_rows', 'ALL', 'owner_user_id = $user');
CALL pg_temp.crm_policy('activities', 'crm_own_rows', 'ALL', 'user_id = $user');
CALL pg_temp.crm_policy('communication_events', 'crm_own_rows', 'ALL', 'user_id = $user');
CALL pg_temp.crm_policy('google_integrations', 'crm_own_rows', 'ALL', 'user_id = $user');
CALL pg_temp.crm_policy('deal_health_scores', 'crm_own_rows', 'ALL', 'user_id = $user');
CALL pg_temp.crm_policy('relationship_health_scores', 'crm_own_rows', 'ALL', 'user_id = $user');
CALL pg_temp.crm_policy('relationship_health_history', 'crm_own_rows', 'ALL', 'user_id = $user');
CALL pg_temp.crm_policy('deal_health_alerts', 'crm_own_rows', 'ALL', 'user_id = $user');
CALL pg_temp.crm_policy('ghost_detection_signals', 'crm_own_rows', 'ALL', 'user_id = $user');
CALL pg_temp.crm_policy('contact_streams', 'crm_own_rows', 'ALL', 'user_id = $user');
CALL pg_temp.crm_policy('deal_stage_history', 'crm_own_rows', 'ALL', 'owner_id = $user');

-- A company that one of her contacts works for, whoever looks after it. Contacts of another shape may have none.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = pg_temp.crm_relation('contacts')
               AND attname = 'company_id' AND NOT attisdropped) THEN
        CALL pg_temp.crm_policy('companies', 'crm_companies_of_own_contacts', 'SELECT',
            'id IN (SELECT c.company_id FROM $schema.contacts c WHERE c.owner_id = $user)');
    END IF;
END
$$;

-- Rows without a user of their own go with the row they belong to.
CALL pg_temp.crm_policy('meeting_contacts', 'crm_own_rows', 'ALL',
    'EXISTS (SELECT FROM $schema.meetings m WHERE m.id = meeting_id AND m.owner_user_id = $user)');
-- Both ends here: a deal is scored by the sentiment of its meetings, and nobody may read a stranger's that way.
CALL pg_temp.crm_policy('deal_meetings', 'crm_own_rows', 'ALL',
    'EXISTS (SELECT FROM $schema.deals d WHERE d.id = deal_id AND d.owner_id = $user) '
    'AND EXISTS (SELECT FROM $schema.meetings m WHERE m.id = meeting_id AND m.owner_user_id = $user)');
CALL pg_temp.crm_policy('deal_health_history', 'crm_own_rows', 'ALL',
    'EXISTS (SELECT FROM $schema.deals d WHERE d.id = deal_id AND d.owner_id = $user)');

-- The same for the whole team.
CALL pg_temp.crm_policy('deal_stages', 'crm_read_all', 'SELECT', 'true');
CALL pg_temp.crm_policy('deal_health_rules', 'crm_read_all', 'SELECT', 'true');

DO $$
DECLARE
    v_name text;
BEGIN
    FOREACH v_name IN ARRAY ARRAY[
        'profiles', 'deal_stages', 'companies', 'contacts', 'deals', 'meetings', 'meeting_contacts', 'deal_meetings',
        'activities', 'communication_events', 'google_integrations', 'deal_health_scores', 'relationship_health_scores',
        'deal_health_history', 'relationship_health_history', 'deal_health_rules', 'deal_health_alerts',
        'ghost_detection_signals', 'contact_streams', 'deal_stage_history'] LOOP
        CALL pg_temp.crm_service_policy(v_name);
    END LOOP;
END
$$;
