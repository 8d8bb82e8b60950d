-- deal_meetings: which meetings a deal had. Created only together with meetings: a CRM that had meetings before has its
-- own way (meetings.deal_id, or the deal's primary contact), and an empty link table would read as "no meetings".
DO $outer$
BEGIN
    IF pg_temp.crm_was_created('meetings') OR pg_temp.crm_relation('deal_meetings') IS NOT NULL THEN
        CALL pg_temp.crm_table('deal_meetings', 'source', 'Which meetings were about which deal', $columns$
            deal_id uuid NOT NULL
            meeting_id uuid NOT NULL
        $columns$, $constraints$
            CONSTRAINT deal_meetings_pkey PRIMARY KEY (deal_id, meeting_id)
        $constraints$);
    END IF;
END
$outer$;
