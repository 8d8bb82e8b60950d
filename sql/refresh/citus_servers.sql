-- The servers that hold users, each with its own. $1 users, $2 the table of their scores.
SELECT n.nodename::text, n.nodeport, array_agg(u.id ORDER BY u.id)
FROM unnest($1::uuid[]) AS u (id)
JOIN pg_catalog.pg_dist_placement p
  ON p.shardid = pg_catalog.get_shard_id_for_distribution_column($2::regclass, u.id)
JOIN pg_catalog.pg_dist_node n ON n.groupid = p.groupid AND n.noderole = 'primary'
GROUP BY n.nodename, n.nodeport
ORDER BY n.nodename, n.nodeport
