# shellcheck shell=bash
# A bare Debian of this machine's release in a folder, to install packages in. Sourced after lib.sh; needs root.
# The base is made once by debootstrap, from the system's own package sources, and kept in the cache.

BARE_BASE="$CACHE/debian/base-$(. /etc/os-release && echo "$VERSION_CODENAME").tar"

bare_tools() {
  [ "$(id -u)" = 0 ] || die "a bare Debian can be made by root alone"
  local missing=() name
  for name in debootstrap lintian dpkg-dev; do
    dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "installing Debian packages: ${missing[*]}"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# The base: Debian's minimum, the system's package sources, and the packages that the tests will install, fetched.
bare_base() {
  [ -f "$BARE_BASE" ] && return
  local codename mirror folder
  codename="$(. /etc/os-release && echo "$VERSION_CODENAME")"
  mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $codename" | head -1)"
  [ -n "$mirror" ] || die "the system's package sources name no Debian $codename"
  folder="$CACHE/debian/making.$$"
  mkdir -p "$folder"
  say "making a bare Debian $codename (2 minutes, once a machine)"
  debootstrap --variant=minbase "$codename" "$folder" "$mirror" > "$CACHE/debian/debootstrap.log" 2>&1 \
    || { tail "$CACHE/debian/debootstrap.log" >&2; rm -rf "$folder"; die "debootstrap failed"; }
  bare_sources "$folder"
  bare_run "$folder" apt-get update -qq
  bare_run "$folder" apt-get install -y -qq --no-install-recommends --download-only \
    adduser ca-certificates init-system-helpers systemd "postgresql-$PG_MAJOR" "postgresql-$PG_MAJOR-cron" \
    make gcc clang dpkg-dev libc6-dev "postgresql-server-dev-$PG_MAJOR" >/dev/null
  tar -C "$folder" -cf "$BARE_BASE.new" .
  mv "$BARE_BASE.new" "$BARE_BASE"
  rm -rf "$folder"
}

# The ways to the package sources that this machine has, its proxies and certificates included.
bare_sources() { # FOLDER
  local part
  rm -f "$1/etc/apt/sources.list"
  for part in sources.list sources.list.d trusted.gpg trusted.gpg.d keyrings auth.conf.d; do
    [ ! -e "/etc/apt/$part" ] || cp -aL "/etc/apt/$part" "$1/etc/apt/"
  done
  grep -lE '^ *Acquire' /etc/apt/apt.conf.d/* 2>/dev/null | xargs -r cp -t "$1/etc/apt/apt.conf.d/"
  cp -aL /etc/resolv.conf /etc/hosts "$1/etc/" 2>/dev/null || true
  mkdir -p "$1/usr/share/keyrings" "$1/etc/ssl"
  cp -a /usr/share/keyrings/. "$1/usr/share/keyrings/"
  if [ -d /etc/ssl/certs ]; then cp -aL /etc/ssl/certs "$1/etc/ssl/" 2>/dev/null || true; fi
  # A package that is installed starts no service here.
  printf '#!/bin/sh\nexit 101\n' > "$1/usr/sbin/policy-rc.d"
  chmod 755 "$1/usr/sbin/policy-rc.d"
}

bare_unpack() { # FOLDER
  bare_remove "$1"
  mkdir -p "$1"
  tar -C "$1" -xf "$BARE_BASE"
}

bare_remove() { # FOLDER
  rm -rf --one-file-system "$1"
}

# Runs a command in it, with processes of its own, which end with it. BARE_MOUNTS brings folders of this machine along, for
# as long: FROM:TO, separated by spaces.
bare_run() { # FOLDER COMMAND…
  local folder="$1"
  shift
  # shellcheck disable=SC2016
  BARE_MOUNTS="${BARE_MOUNTS:-}" unshare --mount --pid --fork --kill-child sh -ec '
    for mount in $BARE_MOUNTS; do
      mkdir -p "$0${mount#*:}"
      mount --bind "${mount%%:*}" "$0${mount#*:}"
    done
    mount -t proc proc "$0/proc"
    mount -t tmpfs -o mode=1777 tmpfs "$0/dev/shm" 2>/dev/null || { mkdir -p "$0/dev/shm"; mount -t tmpfs -o mode=1777 tmpfs "$0/dev/shm"; }
    exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive TZ=UTC \
      ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} "$@"' "$folder" "$@"
}
