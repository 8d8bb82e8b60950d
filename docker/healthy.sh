#!/bin/bash
# Fails where something is wrong, and says what: healthy.sh database|daemon
set -euo pipefail
case "$1" in
  database)
    errors="$(psql -X -q -At -h /var/run/postgresql -d "${POSTGRES_DB:-crm}" \
      -c "SELECT concat_ws(': ', problem, hint) FROM crm_health.check_install() WHERE severity = 'error'")"
    [ -z "$errors" ] || { printf '%s\n' "$errors"; exit 1; }
    ;;
  daemon)
    exec 3<>/dev/tcp/127.0.0.1/8787
    printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3
    read -r answer <&3
    [[ "$answer" = *' 200 '* ]] || { printf '%s\n' "$answer"; exit 1; }
    ;;
esac
