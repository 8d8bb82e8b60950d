-- Users whose scores a health refresh is about: those who logged in within $1 seconds.
SELECT p.id FROM {crm}.profiles p WHERE p.last_login_at >= now() - make_interval(secs => $1) ORDER BY p.id
