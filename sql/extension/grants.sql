-- The roles that applications of the field use, where they exist. sql/crm does the same for roles that
-- are made later.
DO $$
DECLARE
  v_role text;
BEGIN
  FOR v_role IN SELECT r.rolname FROM pg_catalog.pg_roles r WHERE r.rolname IN ('authenticated', 'service_role') LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION public.refresh_deal_health_scores(uuid, integer), public.refresh_relationship_health_scores(uuid, integer), crm_health.explain_deal(uuid, timestamptz), crm_health.explain_contact(uuid, timestamptz), crm_health.needs_attention(uuid[], integer, timestamptz), crm_health.link_replies(uuid), crm_health.acknowledge_alert(uuid), crm_health.dismiss_alert(uuid), crm_health.export_contact(uuid), crm_health.forget_contact(uuid), crm_health.score_deal(jsonb), crm_health.score_relationship(jsonb, text), crm_health.replay(uuid, timestamptz, timestamptz, interval), crm_health.fill_history(uuid, timestamptz, timestamptz, interval) TO %I', v_role);
  END LOOP;
  IF EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'service_role') THEN
    GRANT EXECUTE ON FUNCTION crm_health.refresh_deals(uuid[], integer, timestamptz), crm_health.refresh_relationships(uuid[], integer, timestamptz), crm_health.active_users(timestamptz), crm_health.post_notification(text, uuid, text, text, text, text, text, text, jsonb) TO service_role;
    GRANT SELECT ON crm_health.notifications, crm_health.recent_notifications TO service_role;
  END IF;
END
$$;
