#!/usr/bin/env bash
# Builds Debian packages of the extension (for PG_MAJOR) and of the daemon into FOLDER, target/packages by default.
#   package.sh [extension|daemon]     one of them alone
# The same source, toolchain and system packages give the same bytes, wherever they are built: paths are mapped away, times are
# SOURCE_DATE_EPOCH, by default the time of the last commit. scripts/test-packages.sh compares two builds. DEBFULLNAME and
# DEBEMAIL name the packager.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

FOLDER="${FOLDER:-$ROOT/target/packages}"
WORK="$STATE/package"
VERSION="${PACKAGE_VERSION:-$(sed -n 's/^version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")}"
ARCHITECTURE="$(dpkg --print-architecture)"
MAINTAINER="${DEBFULLNAME:-crm_health developers} <${DEBEMAIL:-crm-health@example.org}>"
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(source_date)}"
export SOURCE_DATE_EPOCH

# A target folder of its own: other flags would have everything built again for the tests.
export CARGO_TARGET_DIR="${PACKAGE_TARGET:-$ROOT/target/package}"
CARGO_FOLDER="${CARGO_HOME:-$HOME/.cargo}"
export RUSTFLAGS="--remap-path-prefix=$ROOT=/usr/src/crm_health --remap-path-prefix=$CARGO_FOLDER=/usr/src/cargo"

put() { install -D -m 644 "$1" "$tree/$2"; }

documentation() { # PACKAGE
  local doc="$tree/usr/share/doc/$1"
  put "$ROOT/packaging/copyright" "usr/share/doc/$1/copyright"
  put "$ROOT/CHANGELOG.md" "usr/share/doc/$1/CHANGELOG.md"
  printf 'crm-health (%s) unstable; urgency=medium\n\n  * What changed: CHANGELOG.md.gz beside this file.\n\n -- %s  %s\n' \
    "$VERSION" "$MAINTAINER" "$(LC_ALL=C date -u -R --date="@$SOURCE_DATE_EPOCH")" > "$doc/changelog"
  gzip -9n "$doc/changelog" "$doc/CHANGELOG.md"
}

# Writes the control file and packs the tree.
pack() { # PACKAGE, description file, further fields
  local package="$1" description="$2" fields="$3"
  # Bytes are summed, so that the figure is the same on every file system.
  local size; size="$(find "$tree" -type f -not -path '*/DEBIAN/*' -printf '%s\n' | awk '{ s += $1 } END { print int(s / 1024) + 1 }')"
  mkdir -p "$tree/DEBIAN"
  {
    printf 'Package: %s\nSource: crm-health\nVersion: %s\nArchitecture: %s\nMaintainer: %s\n' \
      "$package" "$VERSION" "$ARCHITECTURE" "$MAINTAINER"
    printf 'Installed-Size: %s\nSection: database\nPriority: optional\n%s\n' "$size" "$fields"
    printf 'Description: '; sed "s/@MAJOR@/$PG_MAJOR/g" "$description"
  } > "$tree/DEBIAN/control"
  (cd "$tree" && find . -type f -not -path './DEBIAN/*' -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' md5sum > DEBIAN/md5sums)
  find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
  mkdir -p "$FOLDER"
  dpkg-deb --root-owner-group --uniform-compression -Zxz --build "$tree" "$FOLDER/${package}_${VERSION}_$ARCHITECTURE.deb" >/dev/null
  say "$FOLDER/${package}_${VERSION}_$ARCHITECTURE.deb"
}

# The system libraries that programs need, with the versions that they need.
libraries() { # FILE
  mkdir -p "$WORK/shlibs/debian"
  printf 'Source: crm-health\n\nPackage: crm-health\nArchitecture: any\n' > "$WORK/shlibs/debian/control"
  (cd "$WORK/shlibs" && dpkg-shlibdeps -O --ignore-missing-info "$1" 2>/dev/null) | sed -n 's/^shlibs:Depends=//p'
}

extension() {
  local package="postgresql-$PG_MAJOR-crm-health" built="$WORK/built" lib share
  tree="$WORK/$package"
  rm -rf "$tree" "$built"
  say "building the extension for PostgreSQL $PG_MAJOR"
  (cd "$ROOT/extension" && cargo pgrx package --no-default-features --features "pg$PG_MAJOR" -c "$PG_CONFIG" --out-dir "$built" >"$WORK/build.log" 2>&1) \
    || { cat "$WORK/build.log" >&2; die "the extension does not build"; }
  lib="usr/lib/postgresql/$PG_MAJOR/lib"
  share="usr/share/postgresql/$PG_MAJOR"
  put "$(find "$built" -name crm_health.so)" "$lib/crm_health.so"
  strip --strip-unneeded --remove-section=.comment --remove-section=.note "$tree/$lib/crm_health.so"
  put "$(find "$built" -name crm_health.control)" "$share/extension/crm_health.control"
  local script
  script="$(find "$built" -name 'crm_health--*.sql' -not -name '*--*--*')"
  put "$script" "$share/extension/$(basename "$script")"
  "$ROOT/scripts/upgrade-script.sh" --all "$tree/$share/extension"
  (cd "$ROOT/sql" && find crm citus adopt.sql unadopt.sql citus.sql uncitus.sql -name '*.sql' -print0) | while IFS= read -r -d '' script; do
    put "$ROOT/sql/$script" "$share/crm_health/$script"
  done
  documentation "$package"
  pack "$package" "$ROOT/packaging/extension/description" "Depends: postgresql-$PG_MAJOR, $(libraries "$tree/$lib/crm_health.so")
Recommends: postgresql-$PG_MAJOR-cron"
}

daemon() {
  local package=crm-health-sync
  tree="$WORK/$package"
  rm -rf "$tree"
  say "building the daemon"
  (cd "$ROOT" && cargo build --quiet --release --locked -p crm-health-sync)
  install -D -m 755 "$CARGO_TARGET_DIR/release/crm-health-sync" "$tree/usr/bin/crm-health-sync"
  strip --remove-section=.comment --remove-section=.note "$tree/usr/bin/crm-health-sync"
  put "$ROOT/sync-daemon/deploy/crm-health-sync.service" lib/systemd/system/crm-health-sync.service
  put "$ROOT/sync-daemon/config/crm-health-sync.toml" etc/crm-health/sync.toml
  install -d -m 700 "$tree/etc/crm-health/credentials"
  (cd "$ROOT/sql" && find sync -name '*.sql' -print0) | while IFS= read -r -d '' script; do
    put "$ROOT/sql/$script" "usr/share/crm-health-sync/$script"
  done
  mkdir -p "$tree/usr/share/man/man1"
  "$tree/usr/bin/crm-health-sync" man-pages "$tree/usr/share/man/man1"
  gzip -9n "$tree"/usr/share/man/man1/*
  documentation "$package"
  install -D -m 644 "$ROOT/packaging/$package/lintian-overrides" "$tree/usr/share/lintian/overrides/$package"
  mkdir -p "$tree/DEBIAN"
  install -m 755 "$ROOT/packaging/$package/postinst" "$ROOT/packaging/$package/prerm" "$ROOT/packaging/$package/postrm" "$tree/DEBIAN/"
  echo /etc/crm-health/sync.toml > "$tree/DEBIAN/conffiles"
  pack "$package" "$ROOT/packaging/$package/description" "Depends: adduser, ca-certificates, $(libraries "$tree/usr/bin/crm-health-sync")"
}

"$ROOT/scripts/setup.sh" build
command -v dpkg-shlibdeps >/dev/null || die "dpkg-shlibdeps is missing: apt-get install dpkg-dev"
umask 022
mkdir -p "$WORK"
case "${1:-all}" in
  extension) extension ;;
  daemon) daemon ;;
  all) extension; daemon ;;
  *) die "usage: package.sh [extension|daemon]" ;;
esac
