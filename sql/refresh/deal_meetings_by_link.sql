SELECT t.ordinal, m.*
FROM target t
JOIN {deal_meetings} l ON l.deal_id = t.deal_id
JOIN {meetings} m ON m.id = l.meeting_id
