#!/usr/bin/env bash
# Installs what a bare Debian 12 with Rust lacks, and a private copy of PostgreSQL to build for and
# to install into. Nothing of the machine's own PostgreSQL is changed or started.
#   setup.sh          what building and testing need
#   setup.sh build    what building needs
# About 2 minutes the first time, under a second after.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install_packages() {
  local wanted=(make gcc clang "postgresql-$PG_MAJOR" "postgresql-server-dev-$PG_MAJOR")
  [ "$FOR" = build ] || wanted+=("postgresql-$PG_MAJOR-cron" "postgresql-client-$PG_MAJOR" python3-venv libfaketime
    chromium chromium-driver)
  local missing=() name
  for name in "${wanted[@]}"; do
    dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing Debian packages: ${missing[*]} (under a minute)"
  local sudo=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "these packages are missing and need root: apt-get install ${missing[*]}"
    sudo=(sudo)
  fi
  # A new package starts no server here, and makes no cluster of its own.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    "${sudo[@]}" mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | "${sudo[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

install_cargo_pgrx() {
  if [ "$(cargo-pgrx pgrx --version 2>/dev/null)" = "cargo-pgrx $PGRX_VERSION" ]; then return; fi
  say "building cargo-pgrx $PGRX_VERSION (about 2 minutes, once a machine)"
  mkdir -p "$CACHE"
  cargo install --quiet --locked --debug --force cargo-pgrx --version "$PGRX_VERSION" --root "$CACHE/tools"
}

copy_postgres() {
  # Of what is there: pg_cron need not be.
  local version; version="$(dpkg-query -W -f='${Version}' "postgresql-$PG_MAJOR" "postgresql-server-dev-$PG_MAJOR" "postgresql-$PG_MAJOR-cron" 2>/dev/null || true)"
  local target="$STATE/pg/$PG_MAJOR"
  if [ "$(cat "$target/version" 2>/dev/null)" = "$version" ]; then return; fi
  say "copying PostgreSQL $PG_MAJOR to $target"
  rm -rf "$target"
  local kind
  for kind in lib share include; do
    mkdir -p "$target/usr/$kind/postgresql"
    cp -a "/usr/$kind/postgresql/$PG_MAJOR" "$target/usr/$kind/postgresql/"
  done
  printf %s "$version" > "$target/version"
}

configure_pgrx() {
  mkdir -p "$PGRX_HOME"
  local config; config="$(printf '[configs]\npg%s = "%s"\n' "$PG_MAJOR" "$PG_CONFIG")"
  # Rewritten only when it changes: a newer file makes pgrx build its bindings again.
  [ "$(cat "$PGRX_HOME/config.toml" 2>/dev/null)" = "$config" ] || printf '%s\n' "$config" > "$PGRX_HOME/config.toml"
}

FOR="${1:-test}"
[ "$FOR" = test ] || [ "$FOR" = build ] || die "usage: setup.sh [build]"
mkdir -p "$STATE"
chmod 755 "$STATE"
if [ -z "${CRM_HEALTH_PG_HOME:-}" ]; then
  install_packages
  install_cargo_pgrx
  copy_postgres
fi
# promtool checks the alert rules.
[ "$FOR" = build ] || fetch_program promtool prometheus
configure_pgrx
