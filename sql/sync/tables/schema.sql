-- Everything crm-health-sync remembers between runs lives in this schema: plain tables, owned by whoever installs
-- them, no extension involved. Dropping it costs cursors and counters, never an event.
CREATE SCHEMA IF NOT EXISTS crm_health_sync;

COMMENT ON SCHEMA crm_health_sync IS 'Working state of the crm-health-sync daemon: mailbox cursors, leases, the pending ledger, quota';
