-- What a model found in mail of user $1, under the lease of mailbox $2 with token $3: $4 ids of mails, then column by
-- column scores, labels, models, topics (JSON), urgencies, whether an answer is due. What was read before stays. The
-- names of columns in braces stand for casts to their types.
WITH fence AS (
    SELECT 1 FROM crm_health_sync.mailboxes m
    WHERE m.user_id = $1 AND m.integration_id = $2 AND m.lease_token = $3
    FOR SHARE
), kept AS (
    UPDATE {crm}.communication_events e
    SET sentiment_score = f.score, sentiment_label = f.label{sentiment_label}, ai_analyzed = true, ai_model = f.model{ai_model},
        key_topics = f.topics::jsonb, urgency = f.urgency{urgency}, response_required = f.response_required
    FROM unnest($4::text[], $5::double precision[], $6::text[], $7::text[], $8::text[], $9::text[], $10::boolean[])
         AS f(id, score, label, model, topics, urgency, response_required)
    WHERE e.user_id = $1 AND e.external_source = 'gmail' AND e.external_id = f.id AND e.ai_analyzed IS NOT TRUE
      AND EXISTS (SELECT 1 FROM fence)
    RETURNING 1
)
SELECT (SELECT count(*) FROM fence) AS fenced, (SELECT count(*) FROM kept) AS kept
