#!/bin/bash
# Installs the database or the daemon from the packages in a folder, and takes the folder away:
#   install.sh database|daemon FOLDER
set -euo pipefail
packages=("$2"/crm-health-sync_*.deb)
if [ "$1" = database ]; then
  packages=("$2"/postgresql-*-crm-health_*.deb postgresql-15-cron)
  # The cluster is made by start.sh, in the volume.
  mkdir -p /etc/postgresql-common
  echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${packages[@]}"
rm -rf /var/lib/apt/lists/* "$2"
if [ "$1" = database ]; then
  install -d -o postgres -g postgres -m 700 /var/lib/postgresql/data
  install -d -o postgres -g postgres -m 2775 /var/run/postgresql
fi
