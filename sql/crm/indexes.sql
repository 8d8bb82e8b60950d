-- Indexes that a refresh reads by, each unless an equivalent one is there. The comment of each says what for.
-- None is on a column of a score table that a refresh changes: that would end HOT updates.

CALL pg_temp.crm_index('contacts_owner_id_company_id_idx', 'contacts', 'owner_id, company_id',
    'the contacts of a user, and of a company of hers');
CALL pg_temp.crm_index('deals_owner_id_active_idx', 'deals', 'owner_id',
    'the deals of a user that are scored', $$status = 'active'$$);
CALL pg_temp.crm_index('deals_owner_id_primary_contact_id_idx', 'deals', 'owner_id, primary_contact_id',
    'the deals that a relationship stands for, closed ones too');
CALL pg_temp.crm_index('deals_owner_id_company_id_idx', 'deals', 'owner_id, company_id',
    'the deals of a user with a company');
CALL pg_temp.crm_index('meetings_owner_user_id_primary_contact_id_idx', 'meetings', 'owner_user_id, primary_contact_id',
    'the meetings of a user with a contact');
CALL pg_temp.crm_index('meetings_owner_user_id_company_id_idx', 'meetings', 'owner_user_id, company_id',
    'the meetings of a user with a company');
CALL pg_temp.crm_index('meeting_contacts_contact_id_idx', 'meeting_contacts', 'contact_id',
    'the meetings that a contact took part in');
CALL pg_temp.crm_index('deal_meetings_meeting_id_idx', 'deal_meetings', 'meeting_id',
    'the deals that a meeting was about, also when a meeting is deleted');
CALL pg_temp.crm_index('activities_user_id_deal_id_idx', 'activities', 'user_id, deal_id',
    'the activities of a user for a deal');

CALL pg_temp.crm_index('communication_events_contact_time_idx', 'communication_events',
    'user_id, contact_id, event_timestamp DESC', 'the newest events of a user with a contact, and the newest inbound one',
    p_include => 'id, direction');
CALL pg_temp.crm_index('communication_events_deal_idx', 'communication_events',
    'user_id, deal_id, event_timestamp DESC', 'the newest events of a user for a deal', 'deal_id IS NOT NULL');
CALL pg_temp.crm_index('communication_events_company_idx', 'communication_events',
    'user_id, company_id, event_timestamp DESC', 'the newest events of a user with a company', 'company_id IS NOT NULL');
CALL pg_temp.crm_index('communication_events_time_idx', 'communication_events', 'user_id, event_timestamp DESC',
    'all that a refresh reads of the events of a user''s last 90 days', p_include => 'contact_id, company_id, id, event_type, '
    'direction, was_replied, was_opened, response_time_hours, sentiment_score, thread_id, thread_position, external_id, external_source');
CALL pg_temp.crm_index('communication_events_automated_idx', 'communication_events', 'user_id, event_timestamp DESC, id',
    'which of those were written by a machine', $$metadata ->> 'automated' = 'true'$$, p_few => true);
CALL pg_temp.crm_index('communication_events_thread_idx', 'communication_events', 'user_id, thread_id',
    'the mails of a thread, for linking replies', 'thread_id IS NOT NULL');
CALL pg_temp.crm_index('communication_events_opened_idx', 'communication_events', 'user_id, event_timestamp',
    'whether opens are tracked for a user at all', 'was_opened', p_few => true);

CALL pg_temp.crm_index('deal_health_scores_user_id_idx', 'deal_health_scores', 'user_id',
    'the scores of a user: row level security and the board');
CALL pg_temp.crm_index('deal_health_history_deal_id_snapshot_at_idx', 'deal_health_history', 'deal_id, snapshot_at',
    'the course of a deal, and its thinning out');
CALL pg_temp.crm_index('relationship_health_history_snapshot_at_idx', 'relationship_health_history',
    'relationship_health_id, snapshot_at', 'the course of a relationship, and its thinning out');
CALL pg_temp.crm_index('deal_health_alerts_user_id_open_idx', 'deal_health_alerts', 'user_id',
    'the alerts of a user that are not over', 'resolved_at IS NULL');
CALL pg_temp.crm_index('deal_health_alerts_deal_id_idx', 'deal_health_alerts', 'deal_id',
    'the alerts of a deal, also when it is deleted');
CALL pg_temp.crm_index('ghost_detection_signals_user_id_open_idx', 'ghost_detection_signals', 'user_id',
    'the signals about contacts of a user that still hold', 'resolved_at IS NULL');
CALL pg_temp.crm_index('ghost_detection_signals_relationship_health_id_idx', 'ghost_detection_signals', 'relationship_health_id',
    'the signals of a relationship, also when it is deleted');
