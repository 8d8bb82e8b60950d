-- Claims up to $5 mailboxes for daemon $1. The caller holds the claim lock, so that two mailboxes of one user are
-- never leased at the same time. $2 lease in seconds; $3 due when last finished before this instant (NULL: only
-- mailboxes whose pause ended or whose daemon died); $4 users wanted (NULL: the active ones); $6 purpose;
-- $7 window of activity in seconds. All times are the database's. An integration that was connected to another account
-- has another address: nothing that is known of the old account holds for it.
WITH due AS (
    SELECT m.user_id, m.integration_id, lower(g.email::text) AS address,
           coalesce(m.address <> lower(g.email::text), false) AS is_another
    FROM crm_health_sync.mailboxes m
    JOIN {crm}.google_integrations g
      ON g.id = m.integration_id AND g.user_id = m.user_id AND g.is_active
    LEFT JOIN {crm}.profiles p ON p.id = m.user_id
    WHERE m.gone_since IS NULL
      AND coalesce(m.lease_until, '-infinity') <= clock_timestamp()
      AND coalesce(m.next_attempt_at, '-infinity') <= clock_timestamp()
      AND CASE
            WHEN $6 = 'backfill' THEN EXISTS (
                SELECT 1 FROM crm_health_sync.backfills b
                WHERE b.user_id = m.user_id AND b.integration_id = m.integration_id)
            WHEN $3::timestamptz IS NULL THEN m.next_attempt_at IS NOT NULL OR m.lease_owner IS NOT NULL
            ELSE coalesce(m.last_finished_at, '-infinity') < $3 OR m.lease_owner IS NOT NULL
          END
      AND CASE WHEN $4::uuid[] IS NULL THEN p.last_login_at >= now() - make_interval(secs => $7)
               ELSE m.user_id = ANY ($4) END
      AND NOT EXISTS (
        SELECT 1 FROM crm_health_sync.mailboxes o
        WHERE o.user_id = m.user_id AND o.integration_id <> m.integration_id
          AND (o.lease_until > clock_timestamp()
               OR (o.integration_id < m.integration_id
                   AND coalesce(o.last_finished_at, '-infinity') < $3
                   AND coalesce(o.next_attempt_at, '-infinity') <= clock_timestamp()
                   AND EXISTS (SELECT 1 FROM {crm}.google_integrations og
                               WHERE og.id = o.integration_id AND og.user_id = o.user_id AND og.is_active))))
    ORDER BY m.last_finished_at NULLS FIRST, m.integration_id
    LIMIT $5
    FOR UPDATE OF m SKIP LOCKED
), claimed AS (
    UPDATE crm_health_sync.mailboxes m
    SET lease_token = m.lease_token + 1,
        lease_owner = $1,
        lease_purpose = $6,
        lease_until = clock_timestamp() + make_interval(secs => $2),
        address = coalesce(due.address, m.address),
        history_id = CASE WHEN due.is_another THEN NULL ELSE m.history_id END,
        own_addresses = CASE WHEN due.is_another THEN '{}' ELSE m.own_addresses END,
        addresses_read_at = CASE WHEN due.is_another THEN NULL ELSE m.addresses_read_at END,
        list_without_query = m.list_without_query AND NOT due.is_another,
        last_good_at = CASE WHEN due.is_another THEN NULL ELSE m.last_good_at END,
        last_full_at = CASE WHEN due.is_another THEN NULL ELSE m.last_full_at END
    FROM due
    WHERE m.user_id = due.user_id AND m.integration_id = due.integration_id
    RETURNING m.*
), forgotten AS (
    DELETE FROM crm_health_sync.pending p
    USING due
    WHERE due.is_another AND p.user_id = due.user_id AND p.integration_id = due.integration_id
), begun_anew AS (
    UPDATE crm_health_sync.backfills b
    SET done_down_to = clock_timestamp(), listed_at = NULL
    FROM due
    WHERE due.is_another AND b.user_id = due.user_id AND b.integration_id = due.integration_id
)
SELECT c.user_id, c.integration_id, c.lease_token, c.history_id, c.own_addresses,
       ARRAY(SELECT a.address
             FROM crm_health_sync.mailboxes o
             JOIN {crm}.google_integrations og ON og.id = o.integration_id AND og.user_id = o.user_id
             CROSS JOIN LATERAL unnest(og.email::text || o.own_addresses) AS a(address)
             WHERE o.user_id = c.user_id AND o.integration_id <> c.integration_id
               AND a.address IS NOT NULL) AS other_addresses,
       c.addresses_read_at IS NULL OR c.addresses_read_at < now() - interval '1 day' AS addresses_stale,
       c.list_without_query, c.refresh_due, c.quota_units,
       extract(epoch FROM now() - c.quota_at)::double precision AS quota_age,
       extract(epoch FROM now())::bigint AS now_epoch,
       extract(epoch FROM c.last_good_at)::bigint AS last_good_epoch,
       coalesce(c.last_full_at > now() - interval '1 hour', false) AS full_recently,
       g.email, g.access_token, g.refresh_token,
       extract(epoch FROM g.expires_at - now())::double precision AS token_seconds_left,
       EXISTS (SELECT 1 FROM crm_health_sync.pending p
               WHERE p.user_id = c.user_id AND p.integration_id = c.integration_id
                 AND p.state = 'waiting') AS has_pending
FROM claimed c
JOIN {crm}.google_integrations g ON g.id = c.integration_id AND g.user_id = c.user_id
