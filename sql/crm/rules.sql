-- The rules that ship. A rule that is there is never written again, however it was changed or switched off; a table that
-- holds none of ours, but somebody else's, is left alone.

DO $$
DECLARE
    v_ours boolean;
BEGIN
    IF NOT pg_temp.crm_is_table('deal_health_rules') THEN
        RETURN;
    END IF;
    CREATE TEMPORARY TABLE crm_rules ON COMMIT DROP AS
    SELECT * FROM (VALUES
        ('Stage stall, warning', 'days_in_current_stage', 14, '>=', 'days', 'warning',
         '{deal_name} ({company}) has been in {stage} for {days_in_stage} days.',
         E'Ask {company} what holds the next step up\nAgree on its date'),
        ('Stage stall, critical', 'days_in_current_stage', 30, '>=', 'days', 'critical',
         '{deal_name} ({company}) has not left {stage} for {days_in_stage} days.',
         E'Speak with whoever decides at {company}\nClose the deal, or move it back to where it is'),
        ('Sentiment drop', 'sentiment_trend', -1, '=', 'trend', 'warning',
         'Talks about {deal_name} with {company} sound worse than before: sentiment is now {current_sentiment}.',
         'Ask {company} openly what changed'),
        ('No recent activity, warning', 'days_since_last_activity', 7, '>=', 'days', 'warning',
         'Nothing has happened on {deal_name} ({company}) for {days_inactive} days.',
         'Get in touch with {company}'),
        ('No recent activity, critical', 'days_since_last_activity', 14, '>=', 'days', 'critical',
         'Nothing has happened on {deal_name} ({company}) for {days_inactive} days.',
         E'Call {company} today\nTry a second contact there'),
        ('Low meeting frequency', 'meeting_count_last_30_days', 1, '<', 'count', 'warning',
         'Meetings about {deal_name} with {company} in the last 30 days, booked ones included: {meeting_count}.',
         'Book a meeting with {company}'),
        ('Slow response', 'avg_response_time_hours', 48, '>', 'hours', 'info',
         'Answers about {deal_name} ({company}) take {avg_response_hours} hours on average.',
         'Ask {company} for a better way or time to reach them'),
        ('Close date approaching', 'days_until_close', 7, '<=', 'days', 'warning',
         '{deal_name} ({company}) is still in {stage}. Days to the expected close date: {days_until_close}.',
         E'Confirm the date with {company}\nMove the expected close date if it cannot be kept')
    ) AS r (rule_name, rule_type, threshold_value, threshold_operator, threshold_unit, alert_severity,
            alert_message_template, suggested_action_template);
    EXECUTE pg_catalog.format(
        'SELECT NOT EXISTS (SELECT FROM %1$s) OR EXISTS (SELECT FROM %1$s r JOIN pg_temp.crm_rules s USING (rule_name) WHERE r.is_system_rule)',
        pg_temp.crm_relation('deal_health_rules')) INTO v_ours;
    IF NOT v_ours THEN
        RAISE NOTICE '% has rules already: those that ship were not added', pg_temp.crm_relation('deal_health_rules');
        RETURN;
    END IF;
    EXECUTE pg_catalog.format(
        'INSERT INTO %1$s (rule_name, rule_type, threshold_value, threshold_operator, threshold_unit, alert_severity,
                           alert_message_template, suggested_action_template, is_active, is_system_rule)
         SELECT s.*, true, true FROM pg_temp.crm_rules s
         WHERE NOT EXISTS (SELECT FROM %1$s r WHERE r.rule_name = s.rule_name)',
        pg_temp.crm_relation('deal_health_rules'));
EXCEPTION WHEN integrity_constraint_violation OR data_exception OR datatype_mismatch OR undefined_function OR insufficient_privilege THEN
    -- A table of somebody else's, which wants more of a rule or other things.
    RAISE NOTICE 'the rules that ship were not added to %: %', pg_temp.crm_relation('deal_health_rules')::text, SQLERRM
        USING HINT = 'docs/alerts.md says what a rule is; without rules no alerts are raised';
END
$$;
