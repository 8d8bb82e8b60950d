#!/bin/bash
# Builds the Debian packages into a folder, in a Debian with Rust: build.sh FOLDER
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
apt-get update -qq
apt-get install -y -qq --no-install-recommends make dpkg-dev libc6-dev
FOLDER="$1" scripts/package.sh
rm -rf /var/lib/apt/lists/*
