-- What the language model that reads mail costs, day by day: the limit of a day is shared by all daemons of this database.
CREATE TABLE IF NOT EXISTS crm_health_sync.model_usage (
    day             date NOT NULL,
    requests        bigint NOT NULL DEFAULT 0,
    input_tokens    bigint NOT NULL DEFAULT 0,
    output_tokens   bigint NOT NULL DEFAULT 0,
    spent_usd       double precision NOT NULL DEFAULT 0,
    reserved_usd    double precision NOT NULL DEFAULT 0,
    next_request_at timestamptz NOT NULL DEFAULT 'epoch',
    CONSTRAINT model_usage_pkey PRIMARY KEY (day)
);

COMMENT ON TABLE crm_health_sync.model_usage IS 'Requests, tokens and cost of the language model that reads mail, on each day (UTC)';
COMMENT ON COLUMN crm_health_sync.model_usage.reserved_usd IS 'The most that requests in flight can cost; what a killed daemon reserved stays here and counts as spent';
COMMENT ON COLUMN crm_health_sync.model_usage.next_request_at IS 'No request before this instant: it spaces the requests of all daemons';
