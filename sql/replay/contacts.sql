-- A contact `r` was there at $4 when it had been entered, or when something had passed between the two: a CRM that was
-- filled later knows of mail that is older than its contacts.
WHERE r.created_at <= $4
   OR EXISTS (SELECT
              FROM {communication_events} e
              WHERE e.user_id = r.owner_id AND e.contact_id = r.id AND e.event_timestamp <= $4)
   OR EXISTS (SELECT
              FROM {meetings} m
              WHERE m.owner_user_id = r.owner_id AND m.primary_contact_id = r.id AND m.meeting_start <= $4)
   OR EXISTS (SELECT
              FROM {meeting_contacts} mc
              JOIN {meetings} m ON m.id = mc.meeting_id
              WHERE mc.contact_id = r.id AND m.owner_user_id = r.owner_id AND m.meeting_start <= $4)
