-- Why a fenced write found no row: is the lease still ours, so that it must be the integration that is gone?
SELECT EXISTS (SELECT 1 FROM crm_health_sync.mailboxes m
               WHERE m.user_id = $1 AND m.integration_id = $2 AND m.lease_token = $3) AS holds
