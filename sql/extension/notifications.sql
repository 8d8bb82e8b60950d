-- The outbox: what happened that somebody should hear of. A row is written in the transaction of what it
-- tells of, so that it is there exactly if that was committed; NOTIFY crm_health is only the bell, for
-- who listens at that moment. Who delivers reads the table, and keeps elsewhere what was delivered.

CREATE TABLE crm_health.notifications (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  kind         text NOT NULL,
  user_id      uuid,
  subject_type text NOT NULL,
  subject_id   text NOT NULL,
  severity     text NOT NULL,
  title        text NOT NULL,
  detail       text,
  next_step    text,
  data         jsonb NOT NULL DEFAULT '{}',
  CONSTRAINT notifications_kind_is_known CHECK (kind IN (
    'deal_status', 'relationship_status', 'alert_raised', 'mailbox_reconnect', 'run_failed')),
  CONSTRAINT notifications_subject_type_is_known CHECK (
    subject_type IN ('deal', 'contact', 'company', 'mailbox', 'run')),
  CONSTRAINT notifications_subject_id_is_1_to_200_characters CHECK (length(subject_id) BETWEEN 1 AND 200),
  CONSTRAINT notifications_severity_is_known CHECK (severity IN ('info', 'warning', 'critical')),
  -- With these bounds the bell's payload stays under 4,000 bytes, whatever the characters.
  CONSTRAINT notifications_title_is_1_to_300_characters CHECK (length(title) BETWEEN 1 AND 300),
  CONSTRAINT notifications_detail_is_at_most_2000_characters CHECK (length(detail) <= 2000),
  CONSTRAINT notifications_next_step_is_at_most_1000_characters CHECK (length(next_step) <= 1000),
  CONSTRAINT notifications_data_is_an_object_of_at_most_16_kb CHECK (
    jsonb_typeof(data) = 'object' AND octet_length(data::text) <= 16384)
);
COMMENT ON TABLE crm_health.notifications IS 'The outbox: what somebody should hear of; kept for the setting notification_retention_days';
COMMENT ON COLUMN crm_health.notifications.user_id IS 'Whom it concerns; NULL: the operators';
COMMENT ON COLUMN crm_health.notifications.title IS 'Plain text, as is what follows: whoever shows it escapes it';
SELECT pg_catalog.pg_extension_config_dump('crm_health.notifications', '');
SELECT pg_catalog.pg_extension_config_dump('crm_health.notifications_id_seq', '');

CREATE VIEW crm_health.recent_notifications AS
  SELECT n.* FROM crm_health.notifications n ORDER BY n.id DESC LIMIT 100;
COMMENT ON VIEW crm_health.recent_notifications IS 'The newest hundred notifications, newest first';

CREATE FUNCTION crm_health.ring_bell() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM pg_notify('crm_health', json_build_object(
    'id', n.id, 'kind', n.kind, 'user_id', n.user_id, 'subject_type', n.subject_type,
    'subject_id', n.subject_id, 'severity', n.severity, 'title', n.title)::text)
  FROM added n
  ORDER BY n.id;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm_health.ring_bell() IS 'Trigger: tells who listens to crm_health of each new notification, at commit';
REVOKE ALL ON FUNCTION crm_health.ring_bell() FROM PUBLIC;
CREATE TRIGGER ring_bell AFTER INSERT ON crm_health.notifications
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION crm_health.ring_bell();

CREATE FUNCTION crm_health.cut_text(p_text text, p_characters integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN length(p_text) <= p_characters THEN p_text ELSE left(p_text, p_characters - 1) || '…' END
$$;
COMMENT ON FUNCTION crm_health.cut_text(text, integer) IS 'The text, or its beginning and an ellipsis, in so many characters at most';

CREATE FUNCTION crm_health.post_notification(
  p_kind text, p_user_id uuid, p_subject_type text, p_subject_id text, p_severity text, p_title text,
  p_detail text DEFAULT NULL, p_next_step text DEFAULT NULL, p_data jsonb DEFAULT '{}')
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_id bigint;
BEGIN
  PERFORM crm_health.require_trusted();
  INSERT INTO crm_health.notifications
    (kind, user_id, subject_type, subject_id, severity, title, detail, next_step, data)
  VALUES (p_kind, p_user_id, p_subject_type, p_subject_id, p_severity, crm_health.cut_text(p_title, 300),
          crm_health.cut_text(p_detail, 2000), crm_health.cut_text(p_next_step, 1000), coalesce(p_data, '{}'))
  RETURNING id INTO v_id;
  RETURN v_id;
END
$$;
COMMENT ON FUNCTION crm_health.post_notification(text, uuid, text, text, text, text, text, text, jsonb)
  IS 'Writes a notification into the outbox and returns its id; NOTIFY crm_health tells of it at commit. For trusted roles';
REVOKE ALL ON FUNCTION crm_health.post_notification(text, uuid, text, text, text, text, text, text, jsonb) FROM PUBLIC;

-- A run that did not succeed: once, when it ends.
CREATE FUNCTION crm_health.tell_of_failed_run() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_errors integer := jsonb_array_length(NEW.errors);
  v_of_run boolean := EXISTS (
    SELECT FROM jsonb_array_elements(NEW.errors) e WHERE e ->> 'userId' IS NULL);
BEGIN
  INSERT INTO crm_health.notifications (kind, subject_type, subject_id, severity, title, detail, next_step, data)
  VALUES (
    'run_failed', 'run', NEW.id::text,
    CASE WHEN NEW.state = 'failed' AND (v_of_run OR v_errors >= NEW.users_total) THEN 'critical' ELSE 'warning' END,
    CASE WHEN NEW.state = 'interrupted' THEN format('The refresh was interrupted after %s of %s users', NEW.users_done, NEW.users_total)
         WHEN v_of_run THEN 'The refresh failed'
         ELSE format('The refresh failed for %s of %s users', v_errors, NEW.users_total) END,
    (SELECT crm_health.cut_text(string_agg(DISTINCT e ->> 'reason', E'\n'), 2000)
     FROM (SELECT e FROM jsonb_array_elements(NEW.errors) e LIMIT 100) f (e)),
    format('SELECT * FROM crm_health.run_failures WHERE run_id = %L', NEW.id),
    jsonb_build_object('state', NEW.state, 'triggered_by', crm_health.cut_text(NEW.triggered_by, 200), 'errors', v_errors,
                       'users_done', NEW.users_done, 'users_total', NEW.users_total));
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm_health.tell_of_failed_run() IS 'Trigger: a notification for a run that failed or was interrupted';
REVOKE ALL ON FUNCTION crm_health.tell_of_failed_run() FROM PUBLIC;
CREATE TRIGGER tell_of_failed_run AFTER UPDATE ON crm_health.runs
  FOR EACH ROW WHEN (OLD.state = 'running' AND NEW.state IN ('failed', 'interrupted'))
  EXECUTE FUNCTION crm_health.tell_of_failed_run();
