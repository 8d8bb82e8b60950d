-- The run log. Runs older than 90 days go.
WITH old AS (
    DELETE FROM crm_health_sync.runs WHERE finished_at < now() - interval '90 days'
)
INSERT INTO crm_health_sync.runs (daemon, triggered_by, started_at, report) VALUES ($1, $2, $3, $4)
