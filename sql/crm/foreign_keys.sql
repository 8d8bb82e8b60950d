-- References between tables that this run created. Scores, history, alerts and signals go with what they are about;
-- events outlive the deal and the company, and go with the contact. There are none to profiles: users belong to the
-- system that logs them in, and a user who is gone must not take the deals along.

CALL pg_temp.crm_foreign_key('contacts', 'company_id', 'companies', 'SET NULL');
CALL pg_temp.crm_foreign_key('deals', 'stage_id', 'deal_stages', 'RESTRICT');
CALL pg_temp.crm_foreign_key('deals', 'primary_contact_id', 'contacts', 'SET NULL');
CALL pg_temp.crm_foreign_key('deals', 'company_id', 'companies', 'SET NULL');
CALL pg_temp.crm_foreign_key('meetings', 'primary_contact_id', 'contacts', 'SET NULL');
CALL pg_temp.crm_foreign_key('meetings', 'company_id', 'companies', 'SET NULL');
CALL pg_temp.crm_foreign_key('meeting_contacts', 'meeting_id', 'meetings', 'CASCADE');
CALL pg_temp.crm_foreign_key('meeting_contacts', 'contact_id', 'contacts', 'CASCADE');
CALL pg_temp.crm_foreign_key('deal_meetings', 'deal_id', 'deals', 'CASCADE');
CALL pg_temp.crm_foreign_key('deal_meetings', 'meeting_id', 'meetings', 'CASCADE');
CALL pg_temp.crm_foreign_key('activities', 'deal_id', 'deals', 'SET NULL');
CALL pg_temp.crm_foreign_key('activities', 'contact_id', 'contacts', 'SET NULL');
CALL pg_temp.crm_foreign_key('activities', 'company_id', 'companies', 'SET NULL');
CALL pg_temp.crm_foreign_key('communication_events', 'contact_id', 'contacts', 'CASCADE');
CALL pg_temp.crm_foreign_key('communication_events', 'company_id', 'companies', 'SET NULL');
CALL pg_temp.crm_foreign_key('communication_events', 'deal_id', 'deals', 'SET NULL');
CALL pg_temp.crm_foreign_key('deal_health_scores', 'deal_id', 'deals', 'CASCADE');
CALL pg_temp.crm_foreign_key('relationship_health_scores', 'contact_id', 'contacts', 'CASCADE');
CALL pg_temp.crm_foreign_key('relationship_health_scores', 'company_id', 'companies', 'CASCADE');
CALL pg_temp.crm_foreign_key('deal_health_history', 'deal_id', 'deals', 'CASCADE');
CALL pg_temp.crm_foreign_key('relationship_health_history', 'relationship_health_id', 'relationship_health_scores', 'CASCADE');
CALL pg_temp.crm_foreign_key('deal_health_alerts', 'deal_id', 'deals', 'CASCADE');
CALL pg_temp.crm_foreign_key('deal_health_alerts', 'health_score_id', 'deal_health_scores', 'SET NULL');
CALL pg_temp.crm_foreign_key('ghost_detection_signals', 'relationship_health_id', 'relationship_health_scores', 'CASCADE');
