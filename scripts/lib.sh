# shellcheck shell=bash disable=SC2034 # What is set here is used where it is sourced.
# Shared by the scripts of this folder: where things live, and how to run PostgreSQL's programs.
# Sourced, never run.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
PG_MAJOR="${PG_MAJOR:-15}"
PGRX_VERSION=0.18.1

# Tools that are slow to build are kept here between checkouts; a missing cache only costs time.
if [ "$(id -u)" = 0 ]; then default_cache=/var/cache/crm_health; else default_cache="$HOME/.cache/crm_health"; fi
CACHE="${CRM_HEALTH_CACHE:-$default_cache}"
# One folder a checkout and user. /var/tmp, because the server's user must be able to reach it.
STATE="${CRM_HEALTH_STATE:-/var/tmp/crm_health-$(id -u)-$(printf %s "$ROOT" | cksum | cut -d' ' -f1)}"
# Another PostgreSQL to build for and to install into; pg-majors.sh names those that Debian does not have.
PG_HOME="${CRM_HEALTH_PG_HOME:-$STATE/pg/$PG_MAJOR/usr/lib/postgresql/$PG_MAJOR}"
PG_BIN="$PG_HOME/bin"
PG_CONFIG="$PG_BIN/pg_config"
CLUSTER="$STATE/cluster"

# A folder a major: a newer configuration has the bindings built again.
export PGRX_HOME="$STATE/pgrx"
if [ -n "${CRM_HEALTH_PG_HOME:-}" ]; then PGRX_HOME="$STATE/pgrx-$PG_MAJOR"; fi
# Its default compiles every crate twice to work around a linker bug that Rust 1.95 does not have.
export CARGO_PGRX_DISABLE_GC_SECTIONS_WORKAROUND=1
export PATH="$CACHE/tools/bin:$PATH"

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# The time that packages bear, seconds since 1970: that of the last commit.
source_date() { git -C "$ROOT" log -1 --format=%ct 2>/dev/null || stat -c %Y "$ROOT/CHANGELOG.md"; }

# A program out of its Debian package, into the cache: installing the package could start a server, or needs root.
fetch_program() { # PROGRAM, PACKAGE
  [ -x "$CACHE/tools/bin/$1" ] && return
  say "fetching $1"
  local folder; folder="$(mktemp -d)"
  chmod 755 "$folder"
  (cd "$folder" && apt-get download -qq "$2" 2>/dev/null && dpkg-deb -x ./*.deb .) \
    || die "apt-get download $2 failed: is there a network, and was apt-get update run?"
  mkdir -p "$CACHE/tools/bin"
  mv "$folder/usr/bin/$1" "$CACHE/tools/bin/"
  rm -rf "$folder"
}

# Runs a program as the user who may run a PostgreSQL server (the server refuses root).
as_server() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=postgres --regid=postgres --init-groups \
      env -i PATH=/usr/bin:/bin HOME="$STATE" LC_ALL=C.UTF-8 TZ=UTC "$@"
  else
    env -i PATH=/usr/bin:/bin HOME="$STATE" LC_ALL=C.UTF-8 TZ=UTC "$@"
  fi
}

# Makes a folder that the server's user owns.
server_folder() {
  mkdir -p "$1"
  if [ "$(id -u)" = 0 ]; then chown postgres:postgres "$1"; fi
}

free_port() {
  local port
  for port in $(shuf -i 20000-29999 -n 50); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then printf '%s' "$port"; return; fi
  done
  die "no free port found between 20000 and 29999"
}

# A cluster is a folder: data/, port, server.log. DATABASE is the one that pg_cron keeps its jobs in.
cluster_create() { # FOLDER DATABASE
  rm -rf "$1"
  server_folder "$1"
  as_server "$PG_BIN/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
  free_port > "$1/port"
  cat >> "$1/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $(cat "$1/port")
unix_socket_directories = ''
timezone = 'UTC'
max_worker_processes = 16
max_connections = 100
shared_buffers = '512MB'
max_wal_size = '4GB'
fsync = off
CONF
  [ -f "$("$PG_CONFIG" --pkglibdir)/pg_cron.so" ] || return 0
  cat >> "$1/data/postgresql.conf" <<CONF
shared_preload_libraries = 'pg_cron'
cron.database_name = '$2'
cron.use_background_workers = on
CONF
}

cluster_running() { as_server "$PG_BIN/pg_ctl" -D "$1/data" status >/dev/null 2>&1; }

cluster_start() { # FOLDER
  cluster_running "$1" && return
  say "starting a private PostgreSQL $PG_MAJOR on 127.0.0.1:$(cat "$1/port")"
  as_server "$PG_BIN/pg_ctl" -D "$1/data" -l "$1/server.log" -w start >/dev/null \
    || die "the server did not start: see $1/server.log"
}

cluster_stop() { # FOLDER
  if cluster_running "$1"; then
    as_server "$PG_BIN/pg_ctl" -D "$1/data" -m fast -w stop >/dev/null
  fi
  rm -rf "$1"
}

cluster_url() { # FOLDER DATABASE
  printf 'postgres://postgres@127.0.0.1:%s/%s' "$(cat "$1/port")" "$2"
}

# psql that stops at the first error and says nothing else.
run_psql() { PGOPTIONS='-c client_min_messages=warning' "$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 "$@"; }

# Makes the database with the extension and the CRM tables, where it is missing.
crm_database() { # FOLDER DATABASE
  local server; server="$(cluster_url "$1" postgres)"
  if [ "$(run_psql "$server" -Atc "SELECT count(*) FROM pg_database WHERE datname = '$2'")" = 0 ]; then
    run_psql "$server" -c "CREATE DATABASE $2"
  fi
  run_psql "$(cluster_url "$1" "$2")" -c 'CREATE EXTENSION IF NOT EXISTS crm_health'
  run_psql "$(cluster_url "$1" "$2")" -f "$ROOT/sql/crm/install.sql" >/dev/null
}
