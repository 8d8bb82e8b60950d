-- The course of each deal: when it came into which stage, and what it is now. Rows recorded after $1 are not known yet.
-- Changes of one transaction have one time: a deal goes on through the stages, and is closed last.
SELECT h.deal_id, h.entered_at, h.recorded_at, g.name,
       coalesce(lower(h.status) IN ('won', 'closed_won') OR g.name = 'Signed', false) AS is_won,
       coalesce(lower(h.status) IN ('lost', 'closed_lost') OR g.name = 'Lost', false) AS is_lost,
       coalesce(h.status = 'active' AND g.is_final IS NOT TRUE, false) AS is_open, h.owner_id
FROM {deal_stage_history} h
LEFT JOIN {deal_stages} g ON g.id = h.stage_id
WHERE h.entered_at <= $1 AND h.recorded_at <= $1
ORDER BY h.deal_id, h.entered_at, h.recorded_at,
         h.status IS DISTINCT FROM 'active' OR g.is_final IS TRUE, g.order_position NULLS FIRST
