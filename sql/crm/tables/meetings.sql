-- meetings: with whom, when, and how it went.
CALL pg_temp.crm_table('meetings', 'source', 'The meetings of the team with contacts', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid()
    title text
    meeting_start timestamptz -- in the future for a booked meeting
    meeting_end timestamptz
    owner_user_id uuid NOT NULL -- profiles.id of the rep
    primary_contact_id uuid
    company_id uuid
    sentiment_score numeric -- -1 to 1; NULL until it is known
    created_at timestamptz NOT NULL DEFAULT now()
$columns$, $constraints$
    CONSTRAINT meetings_pkey PRIMARY KEY (id),
    CONSTRAINT meetings_sentiment_score_range CHECK (sentiment_score BETWEEN -1 AND 1)
$constraints$);
