-- {rules}: the table deal_health_rules. Its columns are looked at one by one: somebody else may have made it.
SELECT to_jsonb(r) FROM {rules} r
