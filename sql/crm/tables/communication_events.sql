-- communication_events: every interaction with a contact; mail comes in through the sync daemon.
-- A refresh reads the last 90 days from an index alone, as far as vacuum has been there: it comes after every 50th of the table.
CALL pg_temp.crm_table('communication_events', 'source', 'Interactions with contacts: mail, calls, meetings, documents', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid()
    user_id uuid NOT NULL -- profiles.id of the rep
    contact_id uuid
    company_id uuid
    deal_id uuid
    event_type text NOT NULL
    direction text NOT NULL -- outbound from the rep, inbound from the contact, system from neither
    subject text
    snippet text
    was_opened boolean DEFAULT false
    was_clicked boolean DEFAULT false
    was_replied boolean DEFAULT false -- an answer came; crm_health.link_replies fills it
    open_count integer DEFAULT 0
    click_count integer DEFAULT 0
    response_time_hours numeric -- how long the answer took; crm_health.link_replies fills it
    sentiment_score numeric -- -1 to 1
    sentiment_label text
    thread_id text
    is_thread_start boolean DEFAULT false
    thread_position integer -- 1 for the first mail of a thread
    previous_event_id uuid
    external_id text -- of the source: for mail its message id
    external_source text -- gmail, …
    sync_source text
    metadata jsonb DEFAULT '{}'
    event_timestamp timestamptz NOT NULL DEFAULT now() -- the instant that counts for the score
    communication_date timestamptz
    created_at timestamptz NOT NULL DEFAULT now()
    ai_analyzed boolean DEFAULT false
    ai_model text
    key_topics jsonb
    action_items jsonb
    urgency text
    response_required boolean
$columns$, $constraints$
    CONSTRAINT communication_events_pkey PRIMARY KEY (id),
    CONSTRAINT communication_events_event_type_known CHECK (event_type IN (
        'email_sent', 'email_received', 'email_opened', 'email_clicked',
        'meeting_scheduled', 'meeting_held', 'meeting_cancelled', 'meeting_rescheduled',
        'call_made', 'call_received', 'linkedin_message', 'linkedin_connection', 'linkedin_inmail',
        'proposal_sent', 'proposal_viewed', 'document_shared', 'document_viewed')),
    CONSTRAINT communication_events_direction_known CHECK (direction IN ('outbound', 'inbound', 'system')),
    CONSTRAINT communication_events_sentiment_score_range CHECK (sentiment_score BETWEEN -1 AND 1),
    CONSTRAINT communication_events_sentiment_label_known CHECK (sentiment_label IN (
        'very_negative', 'negative', 'neutral', 'positive', 'very_positive')),
    CONSTRAINT communication_events_sync_source_known CHECK (sync_source IN ('gmail', 'manual', 'calendar', 'fathom')),
    CONSTRAINT communication_events_urgency_known CHECK (urgency IN ('low', 'medium', 'high'))
$constraints$, 'autovacuum_vacuum_insert_scale_factor = 0.02');
