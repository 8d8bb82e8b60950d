#!/usr/bin/env bash
# Measures the refresh beside its peers, how right the silence model is and what a fit costs, and the sync of mailboxes
# from a local Gmail, on a cluster of its own, and prints tables. About 30 minutes; SCALE=small tries it in a few.
# PARTS=sync is the sync alone, PARTS=model the model, PARTS=share what it adds to a refresh. CRM_HEALTH_TEST_DATA names
# the folder of the mail corpora.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$ROOT/scripts/setup.sh"
"$ROOT/scripts/build.sh"

BENCH="$STATE/bench"
trap 'rc=$?; cluster_stop "$BENCH"; exit $rc' EXIT
trap 'exit 130' INT TERM
cluster_stop "$BENCH"
cluster_create "$BENCH" crm
# Durable, as in production. No checkpoint and no autovacuum falls into a run; one process does all
# the work of a run, so that its CPU is all there is to count.
cat >> "$BENCH/data/postgresql.conf" <<CONF
fsync = on
shared_buffers = '2GB'
work_mem = '64MB'
maintenance_work_mem = '512MB'
max_wal_size = '20GB'
checkpoint_timeout = '1d'
autovacuum = off
jit = off
max_parallel_workers_per_gather = 0
CONF
cluster_start "$BENCH"
cd "$ROOT"

refresh() {
  crm_database "$BENCH" crm
  # Two that are alike but for the ghost model.
  crm_database "$BENCH" crm_rules
  crm_database "$BENCH" crm_calibrated
  say "measuring the refresh (SCALE=${SCALE:-full})"
  CRM_HEALTH_BENCH_URL="$(cluster_url "$BENCH" crm)" cargo run --quiet -p crm-health-tests --bin bench
}

# On mail that the model has never seen; the corpora are not part of this repository.
quality() {
  local data="${CRM_HEALTH_TEST_DATA:-$ROOT/../shared/data}"
  if [ ! -f "$data/silence_enron.csv" ]; then
    say "how right the model is: SKIPPED, for there is no mail corpus in $data (CRM_HEALTH_TEST_DATA names another folder)"
    return
  fi
  say "measuring how right the model is"
  cargo run --quiet --release -p crm-health-scoring --example silence_evaluation -- "$data"
}

# With autovacuum, as in production: tables that fill from empty need their statistics.
# In a database of its own, without the extension: what is measured is the way of mail into the tables.
sync_mailboxes() {
  local size=(1000 100000)
  if [ "${SCALE:-full}" = small ]; then size=(100 10000); fi
  run_psql "$(cluster_url "$BENCH" postgres)" -c 'ALTER SYSTEM SET autovacuum = on' -c 'SELECT pg_reload_conf()' >/dev/null
  run_psql "$(cluster_url "$BENCH" postgres)" -c 'CREATE DATABASE crm_sync'
  local url; url="$(cluster_url "$BENCH" crm_sync)"
  run_psql "$url" -f "$ROOT/sql/crm/install.sql" >/dev/null
  run_psql "$url" -f "$ROOT/sql/sync/install.sql"
  say "measuring the sync (SCALE=${SCALE:-full})"
  CRM_HEALTH_DATABASE_URL="$url" cargo run --quiet --release -p crm-health-sync --example bench_sync -- "${size[@]}"
}

# PARTS without "sync" is for the refresh, "sync" alone for the sync. "model" is a part of the refresh too: the fit.
parts=",${PARTS:-},"
if [ "$parts" = ",," ] || [ "${parts//,model,/,}" != "$parts" ]; then quality; fi
refresh_parts="${parts//,sync,/,}"
if [ "$parts" = ",," ] || [ "$refresh_parts" != "," ]; then PARTS="${refresh_parts//,,/}" refresh; fi
if [ "$parts" = ",," ] || [ "$refresh_parts" != "$parts" ]; then sync_mailboxes; fi
