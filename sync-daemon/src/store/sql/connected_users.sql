-- Everyone with a mailbox that can be read.
SELECT DISTINCT g.user_id FROM {crm}.google_integrations g WHERE g.is_active ORDER BY 1
