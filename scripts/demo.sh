#!/usr/bin/env bash
# Loads a sample CRM, syncs sample mailboxes from a local Gmail, scores everything and prints what
# needs attention and why, all on servers of its own. KEEP=1 leaves PostgreSQL running.
# About 8 minutes from nothing, seconds after.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

DEMO="$STATE/demo"

gmail_pid=
end() {
  local rc=$?
  if [ -n "$gmail_pid" ]; then kill "$gmail_pid" 2>/dev/null || true; fi
  if [ "${KEEP:-}" != 1 ] || [ $rc != 0 ]; then cluster_stop "$DEMO"; fi
  exit $rc
}

# Colours for people, plain text for pipes.
colour() {
  if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    sed -E -e $'s/\\[(stalled|ghost|critical)\\]/\e[1;31m&\e[0m/g' -e $'s/\\[(warning|at_risk)\\]/\e[33m&\e[0m/g' \
      -e $'s/\\[healthy\\]/\e[32m&\e[0m/g' -e $'s/^(DEALS.*|HEARD.*|NEEDS.*|LOOK.*)/\e[1m&\e[0m/'
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

# One value of the line of JSON that the local Gmail prints.
gmail_says() { sed -E "s/.*\"$1\": ?\"([^\"]*)\".*/\1/" "$DEMO/gmail.json"; }

start_gmail() {
  run_psql "$url" -At -f "$ROOT/demo/mailboxes.sql" > "$DEMO/mailboxes.json"
  "$TARGET/debug/local-gmail" --fixture "$DEMO/mailboxes.json" > "$DEMO/gmail.json" &
  gmail_pid=$!
  for _ in $(seq 100); do
    [ -s "$DEMO/gmail.json" ] && return
    sleep 0.1
  done
  die "the local Gmail did not start"
}

sync_mail() {
  CRM_HEALTH_DATABASE_URL="$url"
  CRM_HEALTH_GMAIL_BASE_URL="$(gmail_says base_url)"
  CRM_HEALTH_TOKEN_URL="$(gmail_says token_url)"
  CRM_HEALTH_GOOGLE_CLIENT_ID="$(gmail_says client_id)"
  CRM_HEALTH_GOOGLE_CLIENT_SECRET="$(gmail_says client_secret)"
  export CRM_HEALTH_DATABASE_URL CRM_HEALTH_GMAIL_BASE_URL CRM_HEALTH_TOKEN_URL CRM_HEALTH_GOOGLE_CLIENT_ID \
    CRM_HEALTH_GOOGLE_CLIENT_SECRET
  "$TARGET/debug/crm-health-sync" migrate >&2
  "$TARGET/debug/crm-health-sync" sync > "$DEMO/sync.json" || { cat "$DEMO/sync.json" >&2; die "the sync failed"; }
  cat "$DEMO/sync.json" >&2
}

"$ROOT/scripts/setup.sh"
"$ROOT/scripts/build.sh"
TARGET="${CARGO_TARGET_DIR:-$ROOT/target}"
say "building the sync daemon and the local Gmail (about 4 minutes the first time)"
(cd "$ROOT" && cargo build --quiet -p crm-health-sync -p crm-health-local-gmail)
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
say "syncing the reps' mail from a local Gmail"
start_gmail
sync_mail
{ run_psql "$url" -f "$ROOT/demo/board.sql"; look_further; } | colour
