SELECT e.signal, e.value, e.score, e.weight::double precision AS weight, e.contribution::double precision AS contribution, e.reason
FROM crm_health.explain_deal($1) e
