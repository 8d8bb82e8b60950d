-- Only where Citus spreads the CRM over several servers: what the coordinator asks of them. sql/citus.sql sets it up.

CREATE FUNCTION crm_health.on_worker(p_user_id uuid, p_call text, p_arguments jsonb, p_settings jsonb) RETURNS jsonb
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
AS 'MODULE_PATHNAME', 'on_worker';
COMMENT ON FUNCTION crm_health.on_worker(uuid, text, jsonb, jsonb)
  IS 'What the coordinator of a Citus cluster has done by the server that holds the user; the settings and the configuration come along';
REVOKE ALL ON FUNCTION crm_health.on_worker(uuid, text, jsonb, jsonb) FROM PUBLIC;

CREATE FUNCTION crm_health.on_shard(p_shard_id bigint, p_call text, p_arguments jsonb, p_settings jsonb) RETURNS jsonb
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
AS 'MODULE_PATHNAME', 'on_shard';
COMMENT ON FUNCTION crm_health.on_shard(bigint, text, jsonb, jsonb)
  IS 'The same for all users of a shard of the relationship scores';
REVOKE ALL ON FUNCTION crm_health.on_shard(bigint, text, jsonb, jsonb) FROM PUBLIC;

-- A shard's users in one call, in a subtransaction; where that fails, one after another: one's failure is kept to itself.
CREATE FUNCTION crm_health.refresh_held(p_user_ids uuid[], p_arguments jsonb, p_settings jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_group record;
  v_answer jsonb;
  v_alone uuid[] := '{}';
  v_deals bigint := 0;
  v_relationships bigint := 0;
  v_done integer := 0;
  v_told jsonb := '[]';
  v_errors jsonb := '[]';
  v_message text;
  v_state text;
BEGIN
  FOR v_group IN
    SELECT get_shard_id_for_distribution_column((p_arguments ->> 'anchor')::regclass, u.id) AS shard,
           array_agg(u.id ORDER BY u.id) AS users
    FROM unnest(p_user_ids) AS u (id) GROUP BY 1 ORDER BY 1
  LOOP
    BEGIN
      v_answer := crm_health.on_shard(v_group.shard, 'refresh_users', p_arguments || jsonb_build_object('users', v_group.users), p_settings);
      v_deals := v_deals + (v_answer #>> '{result,0}')::bigint;
      v_relationships := v_relationships + (v_answer #>> '{result,1}')::bigint;
      v_told := v_told || (v_answer -> 'told');
      v_done := v_done + cardinality(v_group.users);
    EXCEPTION WHEN OTHERS THEN
      v_alone := v_alone || v_group.users;
    END;
  END LOOP;
  FOR v_group IN
    SELECT get_shard_id_for_distribution_column((p_arguments ->> 'anchor')::regclass, u.id) AS shard, u.id AS user_id
    FROM unnest(v_alone) AS u (id)
  LOOP
    BEGIN
      v_answer := crm_health.on_shard(
        v_group.shard, 'refresh_users', p_arguments || jsonb_build_object('users', ARRAY[v_group.user_id]), p_settings);
      v_deals := v_deals + (v_answer #>> '{result,0}')::bigint;
      v_relationships := v_relationships + (v_answer #>> '{result,1}')::bigint;
      v_told := v_told || (v_answer -> 'told');
      v_done := v_done + 1;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS v_message = MESSAGE_TEXT, v_state = RETURNED_SQLSTATE;
      v_errors := v_errors || jsonb_build_array(
        jsonb_build_object('userId', v_group.user_id, 'reason', v_message, 'sqlState', v_state));
    END;
  END LOOP;
  RETURN jsonb_build_object(
    'done', v_done, 'deals', v_deals, 'relationships', v_relationships, 'errors', v_errors, 'told', v_told);
END
$$;
COMMENT ON FUNCTION crm_health.refresh_held(uuid[], jsonb, jsonb)
  IS 'Refreshes users whom this server of a Citus cluster holds, for the coordinator';
REVOKE ALL ON FUNCTION crm_health.refresh_held(uuid[], jsonb, jsonb) FROM PUBLIC;

CREATE FUNCTION crm_health.refresh_on_workers(p_user_ids uuid[], p_max_age_hours integer, p_as_of timestamptz) RETURNS jsonb
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'refresh_on_workers';
COMMENT ON FUNCTION crm_health.refresh_on_workers(uuid[], integer, timestamptz)
  IS 'Refreshes users by all servers of a Citus cluster side by side, each in a transaction of its own; NULL where Citus spreads no table';
REVOKE ALL ON FUNCTION crm_health.refresh_on_workers(uuid[], integer, timestamptz) FROM PUBLIC;

CREATE FUNCTION crm_health.worker_count() RETURNS integer
LANGUAGE c STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'worker_count';
COMMENT ON FUNCTION crm_health.worker_count() IS 'How many servers of a Citus cluster hold users; 0 where Citus spreads no table';
REVOKE ALL ON FUNCTION crm_health.worker_count() FROM PUBLIC;
