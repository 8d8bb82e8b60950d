#!/usr/bin/env bash
# Measures the refresh beside its peers on a cluster of its own and prints tables of medians.
# About 20 minutes; SCALE=small tries it in a minute or two.
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
crm_database "$BENCH" crm

cd "$ROOT"
export CRM_HEALTH_BENCH_URL="$(cluster_url "$BENCH" crm)"
say "measuring (SCALE=${SCALE:-full})"
cargo run --quiet -p crm-health-tests --bin bench
