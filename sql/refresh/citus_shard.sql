-- The shard of a table that goes with a shard of the scores: its number, and its name in the schema of the table.
-- $1 the table, $2 whether it is spread by user (else every server has all of it, as its only shard), $3 the shard of the scores.
SELECT s.shardid, s.name
FROM (
  SELECT s.shardid, s.logicalrelid, s.shardminvalue, n.nspname,
         -- Qualified or not, according to the version of Citus.
         (SELECT p.parts[cardinality(p.parts)]
          FROM parse_ident(pg_catalog.shard_name(s.logicalrelid, s.shardid)) AS p (parts)) AS name
  FROM pg_catalog.pg_dist_shard s
  JOIN pg_catalog.pg_class c ON c.oid = s.logicalrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE s.logicalrelid = $1::regclass
) s
-- Tables that are spread together are cut at the same values.
WHERE (NOT $2 OR s.shardminvalue = (SELECT a.shardminvalue FROM pg_catalog.pg_dist_shard a WHERE a.shardid = $3))
  -- Not by pg_class, in which Citus hides shards.
  AND to_regclass(format('%I.%I', s.nspname, s.name)) IS NOT NULL
