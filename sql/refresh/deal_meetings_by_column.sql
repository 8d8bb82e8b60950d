SELECT t.ordinal, m.*
FROM target t
JOIN {meetings} m ON m.deal_id = t.deal_id
