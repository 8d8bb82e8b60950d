-- The shard of a table for a user: its number, and its name in the schema of the table.
-- $1 the table, $2 whether it is spread by user (else every server has all of it, as its only shard), $3 the user.
SELECT s.shardid, s.name
FROM (
  SELECT s.shardid, s.logicalrelid, n.nspname,
         -- Qualified or not, according to the version of Citus.
         (SELECT p.parts[cardinality(p.parts)]
          FROM parse_ident(pg_catalog.shard_name(s.logicalrelid, s.shardid)) AS p (parts)) AS name
  FROM pg_catalog.pg_dist_shard s
  JOIN pg_catalog.pg_class c ON c.oid = s.logicalrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE s.logicalrelid = $1::regclass
) s
WHERE (NOT $2 OR s.shardid = pg_catalog.get_shard_id_for_distribution_column(s.logicalrelid, $3))
  -- Not by pg_class, in which Citus hides shards.
  AND to_regclass(format('%I.%I', s.nspname, s.name)) IS NOT NULL
