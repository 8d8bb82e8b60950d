-- A mail names several contacts, and one of them came later: user $1's new events of mail that a model has read get what it
-- found then. $2: of the last so many days.
UPDATE {crm}.communication_events e
SET sentiment_score = k.sentiment_score, sentiment_label = k.sentiment_label, ai_analyzed = true, ai_model = k.ai_model,
    key_topics = k.key_topics, urgency = k.urgency, response_required = k.response_required
FROM {crm}.communication_events k
WHERE e.user_id = $1 AND e.external_source = 'gmail' AND e.ai_analyzed IS NOT TRUE
  AND e.event_timestamp >= now() - make_interval(days => $2)
  AND k.user_id = $1 AND k.external_source = 'gmail' AND k.external_id = e.external_id AND k.ai_analyzed
