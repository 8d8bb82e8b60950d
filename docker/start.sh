#!/bin/bash
# Starts PostgreSQL. At the first start it makes the cluster and the database:
#   POSTGRES_PASSWORD_FILE or POSTGRES_PASSWORD   of the superuser postgres; one of them is required
#   POSTGRES_DB                                   the database, crm by default
#   CRM_HEALTH_CRM_TABLES=yes                     also makes the tables of a CRM, for who has none
#   CRM_HEALTH_SCHEDULE                           when the daily refresh runs (UTC), '0 7 * * *' by default
set -euo pipefail
bin=/usr/lib/postgresql/15/bin
database="${POSTGRES_DB:-crm}"

password() {
  if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then cat "$POSTGRES_PASSWORD_FILE"; else printf '%s' "${POSTGRES_PASSWORD:-}"; fi
}

run_sql() { psql -X -q -v ON_ERROR_STOP=1 -h /var/run/postgresql "$@"; }

first_start() {
  if [ -z "$(password)" ]; then
    echo "error: no password for the superuser: set POSTGRES_PASSWORD_FILE to the path of a file that holds it" >&2
    exit 1
  fi
  [[ "$database" =~ ^[a-z_][a-z0-9_]*$ ]] || { echo "error: POSTGRES_DB is \"$database\": write a name of a-z, 0-9 and _" >&2; exit 1; }
  # In the end the folder is whole or it is not there: a start that was cut short begins anew.
  rm -rf "${PGDATA:?}"/new
  "$bin/initdb" -D "$PGDATA/new" -U postgres -A scram-sha-256 --auth-local=peer --pwfile=<(password) -E UTF8 --locale=C.UTF-8 >/dev/null
  cat >> "$PGDATA/new/postgresql.conf" <<CONF
listen_addresses = '*'
unix_socket_directories = '/var/run/postgresql'
timezone = 'UTC'
log_timezone = 'UTC'
shared_preload_libraries = 'pg_cron'
cron.database_name = '$database'
cron.use_background_workers = on
max_worker_processes = 16
CONF
  echo 'host all all all scram-sha-256' >> "$PGDATA/new/pg_hba.conf"
  "$bin/pg_ctl" -D "$PGDATA/new" -o "-c listen_addresses='' -c dynamic_shared_memory_type=mmap" -w start >/dev/null
  createdb -h /var/run/postgresql "$database"
  run_sql -d "$database" -c 'CREATE EXTENSION pg_cron' -c 'CREATE EXTENSION crm_health'
  if [ "${CRM_HEALTH_CRM_TABLES:-no}" = yes ]; then
    run_sql -d "$database" -f /usr/share/postgresql/15/crm_health/crm/install.sql
  fi
  run_sql -d "$database" -v schedule="${CRM_HEALTH_SCHEDULE:-0 7 * * *}" >/dev/null <<< "SELECT crm_health.schedule(:'schedule');"
  "$bin/pg_ctl" -D "$PGDATA/new" -m fast -w stop >/dev/null
  mv "$PGDATA/new" "$PGDATA/cluster"
}

if [ "${1:-}" = postgres ]; then
  shift
  [ -s "$PGDATA/cluster/PG_VERSION" ] || first_start
  exec "$bin/postgres" -D "$PGDATA/cluster" "$@"
fi
exec "$@"
