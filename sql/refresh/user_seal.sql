-- Keeps states made anew: ghost_seal.sql, for $1 users, $2 contacts, $3 companies, and with $6 to $10 what is kept of each.
WITH scored AS MATERIALIZED (
  SELECT *
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $6::int8[], $7::int8[], $8::int8[], $9::int4[], $10::bytea[])
    AS n (user_id, contact_id, company_id, changes, members, fingerprint, seal_day, sealed_streams)
){sealing}
SELECT 1
