-- The user's contacts that can be matched at all.
SELECT id, email FROM {crm}.contacts WHERE owner_id = $1 AND email LIKE '%@%'
