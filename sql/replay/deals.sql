-- The stage and status that each deal `r` had at $4, and since when. A deal that was seen to move has its history. One
-- that was not has been what it is now since the date on it, or since its only entry; where it is closed, it was active
-- until it was. A deal that was elsewhere at $4, and nobody knows where, is not there. Of changes of one transaction the last
-- counts: see deal_courses.sql.
CROSS JOIN LATERAL (
  SELECT count(*) AS entries, max(h.entered_at) AS newest, coalesce(r.stage_changed_at, r.created_at) AS dated
  FROM {deal_stage_history} h
  WHERE h.deal_id = r.id
) k
CROSS JOIN LATERAL (
  (
    SELECT h.stage_id, h.status,
           -- In its last stage a refresh counts from the date on the deal.
           CASE WHEN h.entered_at = k.newest AND h.stage_id IS NOT DISTINCT FROM r.stage_id AND k.dated <= $4 THEN k.dated
                -- A status that changes within a stage does not begin it anew.
                ELSE (SELECT min(s.entered_at)
                      FROM {deal_stage_history} s
                      WHERE s.deal_id = r.id AND s.entered_at <= $4
                        AND s.entered_at > coalesce((SELECT max(o.entered_at)
                                                     FROM {deal_stage_history} o
                                                     WHERE o.deal_id = r.id AND o.entered_at <= $4
                                                       AND o.stage_id IS DISTINCT FROM h.stage_id), '-infinity'))
           END AS since
    FROM {deal_stage_history} h
    LEFT JOIN {deal_stages} g ON g.id = h.stage_id
    WHERE k.entries > 1 AND h.deal_id = r.id AND h.entered_at <= $4
    ORDER BY h.entered_at DESC, h.recorded_at DESC,
             (h.status IS DISTINCT FROM 'active' OR g.is_final IS TRUE) DESC, g.order_position DESC NULLS LAST
    LIMIT 1
  )
  UNION ALL
  SELECT r.stage_id,
         CASE WHEN r.status <> 'active' AND $4 < least(r.closed_won_date, r.closed_lost_date) THEN 'active' ELSE r.status END,
         CASE WHEN k.dated <= $4 THEN k.dated ELSE k.newest END
  WHERE k.entries <= 1 AND least(k.dated, k.newest) <= $4
) past
