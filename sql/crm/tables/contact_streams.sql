-- contact_streams: what the calibrated ghost model keeps of a relationship's old days, so that a refresh need not read
-- them again. A cache: it may be emptied at any time, and the next refresh fills it.
CALL pg_temp.crm_table('contact_streams', 'result', 'Cache of the calibrated ghost model; may be emptied at any time', $columns$
    user_id uuid NOT NULL
    target_id uuid NOT NULL -- the contact, or the company
    changes bigint NOT NULL DEFAULT 0 -- how often an event was changed that a state may hold
    members bigint -- of which contacts a company's state was made
    fingerprint bigint -- with which constants the state was made
    sealed_day integer -- the last day that the state holds, counted from 1970-01-01
    state bytea -- NULL where an event of it was changed since it was made
$columns$, $constraints$
    CONSTRAINT contact_streams_pkey PRIMARY KEY (user_id, target_id)
$constraints$, 'fillfactor = 80');
