#!/usr/bin/env bash
# Prints an upgrade script of the extension, put together from sql/upgrade and the objects' own files, so that an
# object is written once.
#   upgrade-script.sh 0.1.0 0.2.0
#   upgrade-script.sh --all FOLDER    writes all of them there, the released ones as they were released
# A line of sql/upgrade/FROM--TO.sql that begins with a backslash brings in a file of sql/extension:
#   \create FILE [NAME…]    its statements as they are
#   \replace FILE [NAME…]   its functions, views and triggers with OR REPLACE, and their comments; a replaced object
#                           keeps its owner and grants, so that GRANT and REVOKE stay out
#   \constraint FILE TABLE NAME…   puts constraints of the file in the place of those of the same names
#   \setting NAME…                 rows of crm_health.settings that ship
# With NAMEs, only the statements that create, comment on, grant or revoke what is so named.
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
if [ "${1:-}" = --all ] && [ $# = 2 ]; then
  find "$ROOT/sql/extension" -name 'crm_health--*--*.sql' -exec install -m 644 {} "$2" \;
  for source in "$ROOT"/sql/upgrade/*--*.sql; do
    versions="$(basename "$source" .sql)"
    "${BASH_SOURCE[0]}" "${versions%--*}" "${versions#*--}" > "$2/crm_health--$versions.sql"
  done
  exit
fi
[ $# = 2 ] || { echo "usage: upgrade-script.sh FROM TO" >&2; exit 2; }
source="$ROOT/sql/upgrade/$1--$2.sql"
[ -f "$source" ] || { echo "error: $source does not exist" >&2; exit 1; }

# A statement ends with a line that ends with a semicolon, outside a body between $$ and $$.
statements() { # FILE, create or replace, NAMEs
  local file="$ROOT/sql/extension/$1" way="$2"
  shift 2
  [ -f "$file" ] || { echo "error: $file does not exist" >&2; return 1; }
  awk -v way="$way" -v names="$*" -v file="$file" '
    function is_named(text, i, at, rest) {
      if (count == 0) return 1
      for (i = 1; i <= count; i++) {
        at = index(text, name[i])
        rest = substr(text, at + length(name[i]), 1)
        if (at > 0 && rest !~ /[a-z0-9_]/) { found[i] = 1; return 1 }
      }
      return 0
    }
    function finish(   kept, subject) {
      subject = (head ~ /^(GRANT|REVOKE)/) ? statement : head
      kept = is_named(subject)
      if (way == "replace" && head !~ /^(CREATE (FUNCTION|PROCEDURE|VIEW|TRIGGER)|COMMENT ON (FUNCTION|PROCEDURE|VIEW|COLUMN|TRIGGER))/) kept = 0
      if (kept) {
        if (way == "replace") { sub(/(^|\n)CREATE /, "&OR REPLACE ", statement) }
        printf "%s%s", comments, statement
      }
      statement = ""; comments = ""; head = ""
    }
    BEGIN { count = split(names, name, " ") }
    {
      line = $0 "\n"
      if (head == "" && ($0 ~ /^--/ || $0 == "")) { comments = comments line; next }
      if (head == "") head = $0
      statement = statement line
      if (gsub(/\$\$/, "&", line) % 2) in_body = !in_body
      if (!in_body && $0 ~ /;[ ]*$/) finish()
    }
    END {
      if (statement != "") { print "error: " file ": the last statement does not end" > "/dev/stderr"; exit 1 }
      for (i = 1; i <= count; i++) if (!found[i]) { print "error: " file " has no " name[i] > "/dev/stderr"; exit 1 }
    }' "$file"
}

# A constraint ends before the next one, or before the end of its table.
constraints() { # FILE, TABLE, NAMEs
  local file="$ROOT/sql/extension/$1" table="$2" name text
  shift 2
  for name in "$@"; do
    text="$(awk -v name="$name" '
      /^  CONSTRAINT / { within = ($2 == name) }
      /^\);/ { within = 0 }
      within && !/^ *--/ { print }' "$file")"
    [ -n "$text" ] || { echo "error: $file has no constraint $name" >&2; return 1; }
    printf 'ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s,\n  ADD %s;\n' "$table" "$name" "$(sed -e '1s/^  //' -e '$s/,$//' <<< "$text")"
  done
}

# The triggers would take a row that ships for one of the user's.
settings() { # NAMEs
  local file="$ROOT/sql/extension/config_rows.sql" name row
  echo 'ALTER TABLE crm_health.settings DISABLE TRIGGER USER;'
  for name in "$@"; do
    row="$(sed -n "/^INSERT INTO crm_health.settings/,/;\$/ s/^  \(('$name', .*)\)[,;]\$/\1/p" "$file")"
    [ -n "$row" ] || { echo "error: $file has no setting $name" >&2; return 1; }
    printf 'INSERT INTO crm_health.settings (name, value, description, shipped) VALUES\n  %s;\n' "$row"
  done
  echo 'ALTER TABLE crm_health.settings ENABLE TRIGGER USER;'
}

# Nothing is looked up where others can write. The members that were there are noted for default_privileges.sql.
cat <<HEAD
-- Upgrades crm_health from $1 to $2: ALTER EXTENSION crm_health UPDATE TO '$2'.
\\echo Use "ALTER EXTENSION crm_health UPDATE TO '$2'" to load this file. \\quit

SET LOCAL search_path TO pg_catalog, pg_temp;
SELECT set_config('crm_health.members_before', coalesce(string_agg(concat_ws(':', d.classid, d.objid), ','), ''), true)
FROM pg_depend d
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'crm_health'
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e';

HEAD
while IFS= read -r line || [ -n "$line" ]; do
  read -r -a words <<< "$line"
  case "$line" in
    '\create '*) statements "${words[1]}" create "${words[@]:2}" ;;
    '\replace '*) statements "${words[1]}" replace "${words[@]:2}" ;;
    '\constraint '*) constraints "${words[@]:1}" ;;
    '\setting '*) settings "${words[@]:1}" ;;
    '\'*) echo "error: $source: unknown: $line" >&2; exit 1 ;;
    *) printf '%s\n' "$line" ;;
  esac
done < "$source"
