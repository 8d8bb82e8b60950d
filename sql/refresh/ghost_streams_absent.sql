-- No states are kept here: the streams are made of the whole history each time.
SELECT t.*, NULL::int8 AS changes, NULL::int8 AS members, NULL::int8 AS fingerprint,
       NULL::bytea AS state, '-infinity'::timestamptz AS sealed_until, NULL::int4 AS seal_day
FROM target t
