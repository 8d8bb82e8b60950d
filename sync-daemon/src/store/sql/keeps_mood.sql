-- Whether what models find can be stored: the columns are there, and this role may fill them.
SELECT count(*) = 4
FROM pg_attribute a
WHERE a.attrelid = to_regclass('{crm}.communication_events') AND NOT a.attisdropped
  AND a.attname IN ('sentiment_score', 'sentiment_label', 'ai_analyzed', 'ai_model')
  AND has_column_privilege(a.attrelid, a.attnum, 'INSERT')
