-- Keeps snapshots of scores that changed. {history}: the table relationship_health_history. {columns}, {values}: those of its
-- columns that are there. $2 ids for as many rows, where {id_column} takes them.
INSERT INTO {history} ({id_column}{columns})
SELECT {id_value}{values}
FROM {scored} n
