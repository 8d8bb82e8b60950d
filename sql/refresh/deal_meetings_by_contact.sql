SELECT t.ordinal, m.*
FROM target t
JOIN {meetings} m ON m.owner_user_id = t.user_id
WHERE m.meeting_start >= t.created_at
  AND (m.primary_contact_id = t.primary_contact_id
       OR EXISTS (SELECT FROM {meeting_contacts} mc
                  WHERE mc.meeting_id = m.id AND mc.contact_id = t.primary_contact_id))
