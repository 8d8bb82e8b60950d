-- Deletes old snapshots. $1 the instant, $2 days to keep. {history}, {of}: the table and whose it is.
DELETE FROM {history} h
USING (
  SELECT s.ctid AS row_id, s.snapshot_at,
         row_number() OVER (
           PARTITION BY s.{of}, date_trunc('day', s.snapshot_at AT TIME ZONE 'UTC')
           ORDER BY s.snapshot_at DESC, s.ctid DESC) AS nth_last
  FROM {history} s
  WHERE s.snapshot_at < $1 - interval '7 days'
) old
WHERE h.ctid = old.row_id
  AND (old.nth_last > 1 OR old.snapshot_at < $1 - make_interval(days => $2))
