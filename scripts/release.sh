#!/usr/bin/env bash
# Freezes the scripts of the version in Cargo.toml and makes the next one the current: release.sh NEXT
# Commits nothing. CHANGELOG.md is left to a person.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

version="$(sed -n 's/^version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")"
next="${1:-}"
[[ "$next" =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || die "usage: release.sh NEXT, where NEXT is a version after $version"
[ "$(printf '%s\n' "$version" "$next" | sort -V | tail -1)" != "$version" ] || die "$next does not come after $version"
cd "$ROOT"
[ ! -e "sql/extension/crm_health--$version.sql" ] || die "$version is released already"

scripts/setup.sh
scripts/build.sh
say "freezing $version"
shared="$("$PG_CONFIG" --sharedir)/extension"
cp "$shared/crm_health--$version.sql" sql/extension/
for source in sql/upgrade/*--"$version".sql; do
  frozen="sql/extension/crm_health--$(basename "$source")"
  scripts/upgrade-script.sh "$(basename "${source%--*}")" "$version" > "$frozen"
  rm "$source"
done
sha256sum sql/extension/crm_health--*.sql > sql/released.sha256

say "the next version is $next"
sed -i "0,/^version = \"$version\"/s//version = \"$next\"/" Cargo.toml
sed -i "s/\"version\": \"$version\"/\"version\": \"$next\"/" META.json
cat > "sql/upgrade/$version--$next.sql" <<SQL
-- What $next adds to $version and changes in it, in the order of extension/src/sql.rs. docs/development.md says which
-- change needs which line; \`make upgrade-check\` names what is missing.

-- Grants on new objects alone: what was granted or revoked on the others is the deployment's own.
\\create default_privileges.sql
SQL
say "left to do: CHANGELOG.md, and a commit"
