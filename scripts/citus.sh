#!/usr/bin/env bash
# Builds Citus into the private copy of PostgreSQL, so that tests/tests/citus has something to run on.
#   citus.sh FOLDER      the unpacked source of Citus (github.com/citusdata/citus, tag v13.2.2). About 8 minutes.
# Nothing of the machine's own PostgreSQL is changed. Citus is the developer's alone: no package of ours needs or holds it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

source="${1:-}"
[ -x "$source/configure" ] || die "give the folder of Citus' source: git clone --depth 1 --branch v13.2.2 https://github.com/citusdata/citus"
"$ROOT/scripts/setup.sh"

missing=()
for name in libzstd-dev liblz4-dev libpam0g-dev libselinux1-dev libkrb5-dev libicu-dev libxml2-dev flex bison; do
  dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
done
[ ${#missing[@]} = 0 ] || die "these packages are missing: apt-get install ${missing[*]}"

# Built for the machine's PostgreSQL, of which ours is a copy; installed into the copy alone.
built_for="/usr/lib/postgresql/$PG_MAJOR/bin/pg_config"
# PostgreSQL 15.20 made a function public that Citus 13.2 defines for itself: that one gets another name.
if grep -q 'extern bool have_createdb_privilege' "$("$built_for" --includedir-server)/commands/dbcommands.h"; then
  sed -i 's/^have_createdb_privilege(void)$/citus_have_createdb_privilege(void)/' "$source/src/include/pg_version_compat.h"
fi

log="$STATE/citus-build.log"
say "building Citus (log: $log)"
cd "$source"
{ PG_CONFIG="$built_for" ./configure --without-libcurl && make -j"$(nproc)" && make install DESTDIR="$STATE/pg/$PG_MAJOR"; } >"$log" 2>&1 \
  || { tail -20 "$log" >&2; die "Citus does not build: see $log"; }
say "Citus is in $PG_HOME; scripts/test.sh -p crm-health-tests --test citus runs on it"
