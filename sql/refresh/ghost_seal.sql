-- Keeps the states made anew. {kept_table}: the table contact_streams. What a trigger marked since this
-- statement began has another number of changes, and is left as marked.
,
sealed AS (
  INSERT INTO {kept_table} AS s (user_id, target_id, changes, members, fingerprint, sealed_day, state)
  SELECT n.user_id, coalesce(n.contact_id, n.company_id), n.changes, n.members, n.fingerprint,
         n.seal_day, n.sealed_streams
  FROM scored n
  WHERE n.sealed_streams IS NOT NULL
  ORDER BY 1, 2
  ON CONFLICT (user_id, target_id) DO UPDATE
  SET members = EXCLUDED.members, fingerprint = EXCLUDED.fingerprint,
      sealed_day = EXCLUDED.sealed_day, state = EXCLUDED.state
  WHERE s.changes = EXCLUDED.changes
)
