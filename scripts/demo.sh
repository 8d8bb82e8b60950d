#!/usr/bin/env bash
# Scores a sample CRM and prints what needs attention and why, on a server of its own.
# KEEP=1 leaves the server running. About 5 minutes from nothing, seconds after.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

DEMO="$STATE/demo"

end() {
  local rc=$?
  if [ "${KEEP:-}" != 1 ] || [ $rc != 0 ]; then cluster_stop "$DEMO"; fi
  exit $rc
}

# Colours for people, plain text for pipes.
colour() {
  if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    sed -E -e $'s/\\[(stalled|ghost|critical)\\]/\e[1;31m&\e[0m/g' -e $'s/\\[(warning|at_risk)\\]/\e[33m&\e[0m/g' \
      -e $'s/\\[healthy\\]/\e[32m&\e[0m/g' -e $'s/^(DEALS.*|NEEDS.*|LOOK.*)/\e[1m&\e[0m/'
  else
    cat
  fi
}

look_further() {
  cat <<TEXT

LOOK FURTHER
  SELECT * FROM crm_health.explain_deal('…');      each signal, its weight and reason
  SELECT * FROM crm_health.explain_contact('…');
  SELECT * FROM crm_health.needs_attention();      this list, for one rep or all
  SELECT * FROM crm_health.check_install();        what is missing, and how to mend it
TEXT
  if [ "${KEEP:-}" = 1 ]; then
    printf '\nThe server is still running:\n  psql %s\nEnd it with: make demo\n' "$(cluster_url "$DEMO" crm)"
  else
    printf '\nmake demo KEEP=1 leaves the server running, to try these.\n'
  fi
}

"$ROOT/scripts/setup.sh"
"$ROOT/scripts/build.sh"
trap end EXIT
trap 'exit 130' INT TERM
cluster_stop "$DEMO"
cluster_create "$DEMO" crm
cluster_start "$DEMO"
crm_database "$DEMO" crm
url="$(cluster_url "$DEMO" crm)"

say "loading a sample CRM"
run_psql "$url" -c 'CREATE EXTENSION pg_cron' -f "$ROOT/demo/crm.sql"
say "scheduling the daily refresh, and running it once now"
run_psql "$url" -At -c "SELECT 'pg_cron: ' || job_schedule || ' UTC: ' || command FROM crm_health.schedule() LIMIT 1" >&2
run_psql "$url" -At -c "CALL crm_health.refresh_active_users(p_triggered_by => 'demo')" >/dev/null
{ run_psql "$url" -f "$ROOT/demo/board.sql"; look_further; } | colour
