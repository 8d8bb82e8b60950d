#!/usr/bin/env bash
# Every test of the project, on clusters of its own.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$ROOT/scripts/setup.sh"
"$ROOT/scripts/build.sh"

export CRM_HEALTH_PG_BIN="$PG_BIN"
cd "$ROOT"
say "running the tests (about 10 minutes the first time)"
cargo test --workspace --exclude crm_health
