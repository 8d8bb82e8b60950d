#!/usr/bin/env bash
# A private PostgreSQL cluster with pg_cron, the CRM tables and the extension.
#   cluster.sh start   its last line is DATABASE_URL=postgres://…
#   cluster.sh stop    stops it and removes its data
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

start() {
  "$ROOT/scripts/setup.sh"
  "$ROOT/scripts/build.sh"
  # A cluster that is half made is of no use to anyone.
  trap 'rc=$?; [ $rc = 0 ] || cluster_stop "$CLUSTER"; exit $rc' EXIT
  trap 'exit 130' INT TERM
  [ -f "$CLUSTER/data/PG_VERSION" ] || cluster_create "$CLUSTER" crm
  cluster_start "$CLUSTER"
  crm_database "$CLUSTER" crm
  run_psql "$(cluster_url "$CLUSTER" crm)" -c 'CREATE EXTENSION IF NOT EXISTS pg_cron'
  printf 'DATABASE_URL=%s\n' "$(cluster_url "$CLUSTER" crm)"
}

case "${1:-}" in
  start) start ;;
  stop)
    say "stopping the private PostgreSQL, if it runs, and removing its data"
    cluster_stop "$CLUSTER"
    ;;
  *) die "usage: cluster.sh start|stop" ;;
esac
