#!/usr/bin/env bash
# A private PostgreSQL cluster with pg_cron, the CRM tables and the extension.
#   cluster.sh start   its last line is DATABASE_URL=postgres://…
#   cluster.sh stop    stops it and removes its data
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

running() { as_server "$PG_BIN/pg_ctl" -D "$CLUSTER/data" status >/dev/null 2>&1; }
url() { printf 'postgres://postgres@127.0.0.1:%s/crm' "$(cat "$CLUSTER/port")"; }

create() {
  rm -rf "$CLUSTER"
  server_folder "$CLUSTER"
  as_server "$PG_BIN/initdb" -D "$CLUSTER/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
  free_port > "$CLUSTER/port"
  cat >> "$CLUSTER/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $(cat "$CLUSTER/port")
unix_socket_directories = ''
timezone = 'UTC'
shared_preload_libraries = 'pg_cron'
cron.database_name = 'crm'
cron.use_background_workers = on
max_worker_processes = 16
max_connections = 60
shared_buffers = '512MB'
max_wal_size = '4GB'
fsync = off
CONF
}

start() {
  running && return
  [ -f "$CLUSTER/data/PG_VERSION" ] || create
  say "starting a private PostgreSQL $PG_MAJOR on 127.0.0.1:$(cat "$CLUSTER/port")"
  as_server "$PG_BIN/pg_ctl" -D "$CLUSTER/data" -l "$CLUSTER/server.log" -w start >/dev/null \
    || die "the server did not start: see $CLUSTER/server.log"
}

install() {
  local psql=("$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1)
  "${psql[@]}" "postgres://postgres@127.0.0.1:$(cat "$CLUSTER/port")/postgres" -Atc \
    "SELECT 1 FROM pg_database WHERE datname = 'crm'" | grep -q 1 \
    || "${psql[@]}" "postgres://postgres@127.0.0.1:$(cat "$CLUSTER/port")/postgres" -c 'CREATE DATABASE crm'
  export PGOPTIONS='-c client_min_messages=warning'
  "${psql[@]}" "$(url)" -c 'CREATE EXTENSION IF NOT EXISTS pg_cron' -c 'CREATE EXTENSION IF NOT EXISTS crm_health'
  "${psql[@]}" "$(url)" -f "$ROOT/sql/crm/install.sql" >/dev/null
}

case "${1:-}" in
  start)
    "$ROOT/scripts/setup.sh"
    "$ROOT/scripts/build.sh"
    trap 'rc=$?; [ $rc = 0 ] || "$0" stop || true; exit $rc' EXIT
    trap 'exit 130' INT TERM
    start
    install
    printf 'DATABASE_URL=%s\n' "$(url)"
    ;;
  stop)
    if running; then
      say "stopping the private PostgreSQL"
      as_server "$PG_BIN/pg_ctl" -D "$CLUSTER/data" -m fast -w stop >/dev/null
    fi
    rm -rf "$CLUSTER"
    ;;
  *) die "usage: cluster.sh start|stop" ;;
esac
