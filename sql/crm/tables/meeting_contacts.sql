-- meeting_contacts: who took part, besides the primary contact.
CALL pg_temp.crm_table('meeting_contacts', 'source', 'Which contacts took part in which meeting', $columns$
    meeting_id uuid NOT NULL
    contact_id uuid NOT NULL
$columns$, $constraints$
    CONSTRAINT meeting_contacts_pkey PRIMARY KEY (meeting_id, contact_id)
$constraints$);
