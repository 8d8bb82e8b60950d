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
PG_HOME="$STATE/pg/$PG_MAJOR/usr/lib/postgresql/$PG_MAJOR"
PG_BIN="$PG_HOME/bin"
PG_CONFIG="$PG_BIN/pg_config"
CLUSTER="$STATE/cluster"

export PGRX_HOME="$STATE/pgrx"
# Its default compiles every crate twice to work around a linker bug that Rust 1.95 does not have.
export CARGO_PGRX_DISABLE_GC_SECTIONS_WORKAROUND=1
export PATH="$CACHE/tools/bin:$PATH"

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

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
