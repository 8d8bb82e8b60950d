-- Keeps snapshots of scores that changed. {history}: the table relationship_health_history. {columns}, {values}: those of its
-- columns that are there.
INSERT INTO {history} ({columns})
SELECT {values}
FROM {scored} n
