#!/usr/bin/env bash
# Builds the extension and installs it into the private copy of PostgreSQL.
# About 2 minutes the first time, seconds after.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

say "building the extension (about 2 minutes the first time)"
cd "$ROOT/extension"
log="$STATE/build-$PG_MAJOR.log"
if ! CARGO_TARGET_DIR="${EXTENSION_TARGET:-${CARGO_TARGET_DIR:-$ROOT/target}}" cargo pgrx install --release --no-default-features --features "pg$PG_MAJOR" -c "$PG_CONFIG" >"$log" 2>&1; then
  cat "$log" >&2
  die "the extension does not build"
fi

# Upgrade scripts are put together from the objects' own files, and released versions can be created, to be upgraded.
shared="$("$PG_CONFIG" --sharedir)/extension"
cp "$ROOT"/sql/extension/crm_health--*.sql "$shared/"
"$ROOT/scripts/upgrade-script.sh" --all "$shared"
