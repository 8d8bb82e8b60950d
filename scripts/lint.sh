#!/usr/bin/env bash
# Format, lints, shell scripts, documentation, SQL safety, licences and advisories. About 10 minutes from nothing, 1 after.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PGSPOT_VERSION=0.9.4
VENV="$CACHE/venv"

install_tools() {
  if [ "$("$VENV/bin/pip" show pgspot 2>/dev/null | sed -n 's/^Version: //p')" != "$PGSPOT_VERSION" ]; then
    command -v python3 >/dev/null && python3 -c 'import ensurepip' 2>/dev/null \
      || die "pgspot needs Python: apt-get install python3-venv"
    say "installing pgspot $PGSPOT_VERSION"
    mkdir -p "$CACHE"
    python3 -m venv --clear "$VENV"
    "$VENV/bin/pip" install --quiet "pgspot==$PGSPOT_VERSION"
  fi
  fetch_program shellcheck shellcheck
  if ! command -v cargo-deny >/dev/null; then
    say "building cargo-deny (about 5 minutes, once a machine)"
    cargo install --quiet --locked cargo-deny --root "$CACHE/tools"
  fi
}

# psql's own lines are none of pgspot's business: \ir is followed, variables get a value.
plain_sql() { # FILE
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    case "$line" in
      '\ir '*) plain_sql "$(dirname "$1")/${line#\\ir }" ;;
      '\gexec') printf ';\n' ;;
      '\'* | '    \'*) ;;
      *) printf '%s\n' "$line" | sed -E -e "s/:\"(crm_schema|role)\"/public/g" -e "s/:'[a-z_]+'/'x'/g" -e 's/ AS crm_[a-z_]+ \\gset/;/' ;;
    esac
  done < "$1"
}

pgspot() { # NAME, SQL on standard input. An error or warning that is not expected fails.
  local file; file="$(mktemp --suffix=.sql)"
  cat > "$file"
  # A procedure that commits cannot have a SET clause: it pins the path itself, and is named here alone.
  local found
  found="$("$VENV/bin/pgspot" "$file" 2>&1 | grep -E '^PS|syntax error' | grep -vE 'PS005: .*: crm_health\.refresh_active_users\(' || true)"
  rm -f "$file"
  [ -z "$found" ] || { printf '%s\n' "$found" >&2; die "pgspot finds fault with $1"; }
}

"$ROOT/scripts/setup.sh"
"$ROOT/scripts/build.sh"
install_tools
cd "$ROOT"

say "shellcheck"
shellcheck -S warning scripts/*.sh docker/*.sh packaging/*/p*
say "cargo fmt"
cargo fmt --all --check
say "cargo clippy"
cargo clippy --quiet --workspace --all-targets -- -D warnings
say "rustdoc"
# The modules are private, and their contents are told all the same: such a link is no mistake.
RUSTDOCFLAGS='-D warnings -A rustdoc::private_intra_doc_links' cargo doc --quiet --workspace --no-deps
say "pgspot"
pgspot "the extension's script" < "$STATE"/pg/"$PG_MAJOR"/usr/share/postgresql/"$PG_MAJOR"/extension/crm_health--"$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)".sql
# An upgrade replaces functions of the version before, which pgspot has to know of.
for source in sql/upgrade/*.sql; do
  versions="$(basename "$source" .sql)"
  { cat "sql/extension/crm_health--${versions%--*}.sql"; scripts/upgrade-script.sh "${versions%--*}" "${versions#*--}"; } \
    | grep -v '^\\echo ' | pgspot "the upgrade script $versions"
done
for script in sql/crm/install.sql sql/adopt.sql sql/unadopt.sql sql/citus.sql sql/uncitus.sql sql/sync/install.sql sql/sync/grants.sql sql/sync/dashboard.sql; do plain_sql "$script" | pgspot "$script"; done
say "licences, sources and duplicates of dependencies"
cargo deny --log-level error check bans licenses sources
say "advisories"
if ! cargo deny --log-level error check advisories; then
  # Without the network the database cannot be had; a database that is there must find nothing.
  [ -z "$(find "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs" -name '*.md' -print -quit 2>/dev/null)" ] \
    || die "an advisory names one of our dependencies"
  say "NOT CHECKED: the advisory database could not be fetched from here"
fi
say "all well"
