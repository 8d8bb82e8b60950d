#!/usr/bin/env bash
# The packages in a bare Debian: installed, used, upgraded from an older version with changed configuration, removed,
# purged. Then the steps of Dockerfile.pg: the one that builds must make the same packages there, byte for byte.
# About 10 minutes beyond building them, for they are built twice; the bare Debian takes 2 more, once a machine.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/bare-debian.sh"

BARE="$STATE/bare"
VERSION="$(sed -n 's/^version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")"
ARCHITECTURE="$(dpkg --print-architecture)"
EXTENSION="postgresql-$PG_MAJOR-crm-health"
export FOLDER="$STATE/packages"

inside() { bare_run "$BARE" "$@"; }
sql() { inside setpriv --reuid=postgres --regid=postgres --init-groups psql -X -q -At -v ON_ERROR_STOP=1 -d "${1}" "${@:2}"; }
# Runs commands while the server runs: nothing outlives a command in there.
with_server() {
  inside sh -ec "pg_ctlcluster --skip-systemctl-redirect $PG_MAJOR main start; trap 'pg_ctlcluster --skip-systemctl-redirect $PG_MAJOR main stop -m fast' EXIT; $1"
}
check() { # WHAT, COMMAND…
  local what="$1" output
  shift
  output="$("$@" 2>&1)" || { printf '%s\n' "$output" >&2; die "packages: not so: $what"; }
  printf '   ok: %s\n' "$what" >&2
}
refuse() { ! "$@"; }
packages_in() { printf '/packages/%s_%s_%s.deb /packages/crm-health-sync_%s_%s.deb' "$EXTENSION" "$1" "$ARCHITECTURE" "$1" "$ARCHITECTURE"; }

# The packages of this version, and the same as if they were of 0.1.0.
older_packages() {
  local package tree
  for package in "$EXTENSION" crm-health-sync; do
    tree="$STATE/package/older"
    rm -rf "$tree"
    dpkg-deb -R "$FOLDER/${package}_${VERSION}_$ARCHITECTURE.deb" "$tree"
    sed -i 's/^Version: .*/Version: 0.1.0/' "$tree/DEBIAN/control"
    if [ "$package" = "$EXTENSION" ]; then
      local scripts="$tree/usr/share/postgresql/$PG_MAJOR/extension"
      rm "$scripts"/crm_health--*.sql
      cp "$ROOT/sql/extension/crm_health--0.1.0.sql" "$scripts/"
      sed -i "s/^default_version = .*/default_version = '0.1.0'/" "$scripts/crm_health.control"
    fi
    dpkg-deb --root-owner-group --build "$tree" "$FOLDER/" >/dev/null
  done
}

snapshot() { # FILE: every path in the bare Debian that a package could have left
  (cd "$BARE" && find . -xdev \( -path ./proc -o -path ./packages -o -path ./var/cache -o -path ./var/log -o -path ./tmp \) -prune -o -print) \
    | grep -v -E '^\./var/lib/(dpkg|apt)/' | LC_ALL=C sort > "$1"
}

SOURCE_DATE_EPOCH="$(source_date)"
export SOURCE_DATE_EPOCH
"$ROOT/scripts/package.sh"
bare_tools
bare_base
older_packages
trap 'rc=$?; bare_remove "$BARE"; exit $rc' EXIT
trap 'exit 130' INT TERM
bare_unpack "$BARE"
mkdir "$BARE/packages"
cp "$FOLDER"/*.deb "$BARE/packages/"

say "lintian"
check "lintian finds no error" lintian --fail-on error --suppress-tags bad-distribution-in-changes-file "$FOLDER"/*_"$VERSION"_*.deb

say "the packages in a bare Debian"
inside apt-get install -y -qq --no-install-recommends "postgresql-$PG_MAJOR" "postgresql-$PG_MAJOR-cron" ca-certificates adduser systemd >/dev/null 2>&1
snapshot "$STATE/before"
# shellcheck disable=SC2046
check "the older packages install" inside apt-get install -y -qq $(packages_in 0.1.0)
check "the daemon has a user of its own" inside getent passwd crm-health-sync
check "the daemon is not enabled" refuse test -e "$BARE/etc/systemd/system/multi-user.target.wants/crm-health-sync.service"
check "systemd finds no fault with its unit" inside systemd-analyze verify /lib/systemd/system/crm-health-sync.service
# 1.2 of 10, of which the network, which it is there for, is the most.
check "which exposes little" inside systemd-analyze security --offline=true --threshold=15 /lib/systemd/system/crm-health-sync.service
check "secrets are for root alone" test "$(stat -c '%a %U' "$BARE/etc/crm-health/credentials")" = '700 root'
check "the daemon runs" inside crm-health-sync --version
check "it says what its configuration lacks" refuse inside crm-health-sync check-config
check "every command has its page" test "$(find "$BARE/usr/share/man/man1" -name 'crm-health-sync*.1.gz' | wc -l)" -ge 9
check "the example is the default configuration" inside sh -c 'crm-health-sync default-config | cmp - /etc/crm-health/sync.toml'

cat >> "$BARE/etc/postgresql/$PG_MAJOR/main/postgresql.conf" <<CONF
shared_preload_libraries = 'pg_cron'
cron.database_name = 'crm'
dynamic_shared_memory_type = mmap
CONF
as_postgres='setpriv --reuid=postgres --regid=postgres --init-groups psql -X -q -At -v ON_ERROR_STOP=1 -d crm'
user=00000000-0000-0000-0000-000000000001
deal=00000000-0000-0000-0000-000000000002
check "version 0.1.0 is created, configured and used" with_server "
  setpriv --reuid=postgres --regid=postgres --init-groups createdb crm
  $as_postgres -c 'CREATE EXTENSION pg_cron' -c 'CREATE EXTENSION crm_health' -f /usr/share/postgresql/$PG_MAJOR/crm_health/crm/install.sql
  $as_postgres -c \"UPDATE crm_health.settings SET value = '14' WHERE name = 'active_window_days'\" \
    -c \"INSERT INTO profiles (id, last_login_at) VALUES ('$user', now())\" \
    -c \"INSERT INTO deals (id, owner_id, name, status, stage_id, stage_changed_at) SELECT '$deal', '$user', 'Deal', 'active', id, now() FROM deal_stages WHERE name = 'SQL'\"
  test \$($as_postgres -c \"SELECT extversion FROM pg_extension WHERE extname = 'crm_health'\") = 0.1.0
  test \$($as_postgres -c \"SELECT count(*) FROM refresh_deal_health_scores('$user')\") = 1
  $as_postgres -c 'SELECT crm_health.schedule()'"

echo 'listen = "127.0.0.1:8788"' > "$BARE/etc/crm-health/sync.toml"
echo secret > "$BARE/etc/crm-health/credentials/token-key"
# shellcheck disable=SC2046
check "this version installs over it" inside apt-get install -y -qq $(packages_in "$VERSION")
check "every script of sql/ is in a package" sh -ec "cd '$ROOT/sql'
  for script in *.sql crm/*.sql citus/*.sql; do cmp \$script '$BARE/usr/share/postgresql/$PG_MAJOR/crm_health/'\$script; done
  for script in sync/*.sql; do cmp \$script '$BARE/usr/share/crm-health-sync/'\$script; done"
check "the changed configuration is kept" grep -q 8788 "$BARE/etc/crm-health/sync.toml"
check "the extension is upgraded, all is kept and nothing is missing" with_server "
  $as_postgres -c 'ALTER EXTENSION crm_health UPDATE' -f /usr/share/postgresql/$PG_MAJOR/crm_health/crm/install.sql
  test \$($as_postgres -c \"SELECT extversion FROM pg_extension WHERE extname = 'crm_health'\") = $VERSION
  test \$($as_postgres -c \"SELECT value FROM crm_health.settings WHERE name = 'active_window_days'\") = 14
  test \$($as_postgres -c \"SELECT count(*) FROM deal_health_scores WHERE deal_id = '$deal'\") = 1
  $as_postgres -c 'CALL crm_health.refresh_active_users(p_max_age_hours => 0)'
  test -z \"\$($as_postgres -c \"SELECT * FROM crm_health.check_install() WHERE severity = 'error'\" | tee /dev/stderr)\"
  $as_postgres -f /usr/share/crm-health-sync/sync/install.sql
  CRM_HEALTH_DATABASE_URL='postgres://postgres@%2Fvar%2Frun%2Fpostgresql/crm' setpriv --reuid=postgres --regid=postgres --init-groups crm-health-sync migrate"

check "the packages go" inside apt-get remove -y -qq "$EXTENSION" crm-health-sync
check "the configuration stays" grep -q 8788 "$BARE/etc/crm-health/sync.toml"
check "the scores are read without the extension's library, and its functions say what is missing" with_server "
  test \$($as_postgres -c \"SELECT count(*) FROM deal_health_scores WHERE deal_id = '$deal'\") = 1
  $as_postgres -c \"SELECT refresh_deal_health_scores('$user')\" 2>&1 | grep -F 'could not access file \"crm_health\": No such file or directory'
  $as_postgres -c 'DROP EXTENSION crm_health'"
# The extension's package has no configuration: it is gone with its removal.
check "a purge goes through" inside dpkg --purge crm-health-sync
snapshot "$STATE/after"
check "and leaves nothing behind" sh -c "LC_ALL=C comm -13 '$STATE/before' '$STATE/after' | grep -v -e '^\./var/lib/postgresql/' -e '^\./run/' -e '^\./etc/g\?shadow-$' | tee /dev/stderr | grep -c . | grep -qx 0"
check "nor a user" refuse inside getent passwd crm-health-sync

say "the steps of Dockerfile.pg in a bare Debian"
bare_unpack "$BARE"
# What COPY brings: the source, without its history. What the base image has: Rust, and CARGO_HOME in another place than here.
mkdir -p "$BARE/src" "$BARE$CACHE/tools/bin"
(cd "$ROOT" && git ls-files -z | xargs -0 cp -a --parents -t "$BARE/src")
# The one tool that takes long to build is taken along.
cp "$CACHE/tools/bin/cargo-pgrx" "$BARE$CACHE/tools/bin/"
image_build() {
  BARE_MOUNTS="$(rustc --print sysroot):/usr/local/rust ${CARGO_HOME:-$HOME/.cargo}:/usr/local/cargo" inside env \
    PATH=/usr/local/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin CARGO_HOME=/usr/local/cargo CARGO_NET_OFFLINE=true CRM_HEALTH_CACHE="$CACHE" \
    SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" sh -ec 'cd /src && exec docker/build.sh /packages'
}
same_package() { # PACKAGE: equal, or what is not
  local name="$1_${VERSION}_$ARCHITECTURE.deb" folder
  cmp "$FOLDER/$name" "$BARE/packages/$name" && return
  folder="$(mktemp -d)"
  dpkg-deb -R "$FOLDER/$name" "$folder/here"
  dpkg-deb -R "$BARE/packages/$name" "$folder/there"
  diff -rq "$folder/here" "$folder/there"
  return 1
}
check "the image's step that builds" image_build
for package in "$EXTENSION" crm-health-sync; do
  check "built twice, in two places, $package is the same: $(sha256sum "$FOLDER/${package}_${VERSION}_$ARCHITECTURE.deb" | cut -c1-16)…" same_package "$package"
done
bare_unpack "$BARE"
image_files() {
  mkdir -p "$BARE/packages" "$BARE/docker"
  cp "$FOLDER"/*_"$VERSION"_*.deb "$BARE/packages/"
  cp "$ROOT"/docker/*.sh "$BARE/docker/"
}
# As USER postgres with the image's ENV.
image() { inside setpriv --reuid=postgres --regid=postgres --init-groups env PGDATA=/var/lib/postgresql/data TZ=UTC LANG=C.UTF-8 "$@"; }
started='for i in $(seq 120); do pg_isready -q -h /var/run/postgresql -d crm && [ -s "$PGDATA/cluster/PG_VERSION" ] && break; sleep 0.5; done'
image_files
check "the image's step for the database" inside /docker/install.sh database /packages
check "nothing is left of its packages and lists" sh -c "! ls '$BARE'/packages '$BARE'/var/lib/apt/lists/* 2>/dev/null | grep -q ."
check "a start without a password is refused" refuse image /docker/start.sh postgres
check "the first start makes the database, and it is healthy" image CRM_HEALTH_CRM_TABLES=yes POSTGRES_PASSWORD=secret sh -ec "
  /docker/start.sh postgres -c dynamic_shared_memory_type=mmap & server=\$!
  $started
  /docker/healthy.sh database
  psql -X -At -h /var/run/postgresql -d crm -c 'SHOW timezone' | grep -qx UTC
  psql -X -At -h /var/run/postgresql -d crm -c 'CREATE TABLE kept ()' -c 'SELECT count(*) FROM cron.job' | grep -qx 5
  PGPASSWORD=secret psql -X -At -h 127.0.0.1 -U postgres -d crm -c 'SELECT 1' | grep -qx 1
  ! PGPASSWORD=wrong psql -X -At -h 127.0.0.1 -U postgres -d crm -c 'SELECT 1'
  kill -INT \$server; wait \$server"
check "a second start finds it again, and trouble is told" image sh -ec "
  /docker/start.sh postgres -c dynamic_shared_memory_type=mmap & server=\$!
  $started
  psql -X -At -h /var/run/postgresql -d crm -c 'TABLE kept' -c 'ALTER TABLE activities RENAME TO elsewhere'
  ! /docker/healthy.sh database
  kill -INT \$server; wait \$server"
image_files
check "the image's step for the daemon" inside /docker/install.sh daemon /packages
check "the daemon is not healthy where it does not run" refuse inside /docker/healthy.sh daemon
say "packages: all well"
