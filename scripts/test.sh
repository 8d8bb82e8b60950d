#!/usr/bin/env bash
# Every test of the project, on clusters of its own, and some of them on a newer major of PostgreSQL too.
#   test.sh [ARGUMENTS OF cargo test]   for example: scripts/test.sh -p crm-health-tests --test refresh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$ROOT/scripts/setup.sh"
"$ROOT/scripts/build.sh"

# Tests that must own their server start it in a folder below this one.
TESTS="$STATE/tests${CRM_HEALTH_PG_HOME:+-$PG_MAJOR}"
stop_all() {
  local folder
  for folder in "$TESTS"/*/; do [ -d "$folder" ] && cluster_stop "${folder%/}"; done
  rm -rf "$TESTS"
}
trap 'rc=$?; stop_all; exit $rc' EXIT
trap 'exit 130' INT TERM
stop_all
server_folder "$TESTS"

cluster_create "$TESTS/shared" postgres
cluster_start "$TESTS/shared"
run_psql "$(cluster_url "$TESTS/shared" postgres)" \
  -c 'CREATE ROLE anon NOLOGIN' -c 'CREATE ROLE authenticated NOLOGIN' -c 'CREATE ROLE service_role NOLOGIN BYPASSRLS'
crm_database "$TESTS/shared" crm_template

export CRM_HEALTH_PG_BIN="$PG_BIN"
export CRM_HEALTH_TEST_FOLDER="$TESTS"
CRM_HEALTH_TEST_SERVER="$(cluster_url "$TESTS/shared" '')"
export CRM_HEALTH_TEST_SERVER
cd "$ROOT"
say "running the tests (about 10 minutes the first time)"
if [ $# -gt 0 ]; then
  cargo test "$@"
else
  cargo test --workspace --exclude crm_health
  say "a newer major of PostgreSQL"
  "$ROOT/scripts/pg-majors.sh" --smoke
  say "running the demo as README says it"
  board="$TESTS/board.txt"
  make demo > "$board"
  for line in 'HEARD FROM AGAIN' 'NEEDS ATTENTION FIRST' '^10\. \[' \
    '\[stalled\] +[1-9].*\[ghost\] +[1-9]' '\[critical\] +[1-9].*\[critical\] +[1-9]' \
    '\[warning\] +[1-9].*\[at_risk\] +[1-9]' '\[healthy\] +[1-9].*\[healthy\] +[1-9]'; do
    grep -qE "$line" "$board" || { cat "$board" >&2; die "the demo's board lacks: $line"; }
  done
fi
