-- Into the extension's outbox. $1 user, $2 integration, $3 address.
SELECT crm_health.post_notification(
    'mailbox_reconnect', $1, 'mailbox', $2::text, 'warning',
    format('The mailbox %s must be connected again', coalesce($3, 'of a user')),
    'Google no longer accepts its grant; no mail comes in until then.',
    'Connect Gmail again in the app, or: crm-health-sync connect --user ' || $1::text,
    jsonb_build_object('integration_id', $2::text))
