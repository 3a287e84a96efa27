#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a script of the last commit on a Debian 12 that has nothing installed: a bare system in a
# folder (debootstrap and root needed), thrown away afterwards unless KEEP is set. The models in
# ../shared, which tests read where they are there, are seen there too.
#
# usage: scripts/check_fresh.sh [scripts/quickstart.sh | scripts/test.sh] [arguments...]
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- scripts/quickstart.sh
command -v debootstrap >/dev/null || { echo "needs debootstrap" >&2; exit 1; }
system=${FRESH_SYSTEM:-$(mktemp -d -t tenrec-fresh-XXXX)}

clean_up() {
  umount -R "$system/dev" "$system/proc" "$system/src/shared" 2>/dev/null || true
  # Never remove a folder in which something of this machine is still mounted.
  if [ -z "${KEEP:-}" ] && ! grep -q " $system/" /proc/mounts; then rm -rf "$system"; fi
}
trap clean_up EXIT

if [ ! -x "$system/bin/bash" ]; then
  debootstrap --variant=minbase bookworm "$system" >/dev/null
  # How this machine reaches its packages; not what it has of them.
  cp /etc/resolv.conf /etc/hosts "$system/etc/"
  cp /etc/apt/apt.conf.d/99* "$system/etc/apt/apt.conf.d/" 2>/dev/null || true
  mkdir -p "$system/etc/ssl/certs"
  cp /etc/ssl/certs/ca-certificates.crt "$system/etc/ssl/certs/" 2>/dev/null || true
  # Packages write that file anew; pip goes on with this one.
  cp /etc/ssl/certs/ca-certificates.crt "$system/etc/machine-certificates.crt" 2>/dev/null || true
fi
mkdir -p "$system/src"
rm -rf "$system/src/tenrec"
git clone -q . "$system/src/tenrec"
mount -t proc proc "$system/proc"
mount --rbind /dev "$system/dev"
mount --make-rslave "$system/dev"
if [ -d ../shared ]; then
  mkdir -p "$system/src/shared"
  mount --bind -o ro ../shared "$system/src/shared"
fi

start=$SECONDS
mapfile -t through < <(env | grep -iE '^(pip_|[a-z]+_proxy=)' || true)
[ ! -f "$system/etc/machine-certificates.crt" ] ||
  through+=(PIP_CERT=/etc/machine-certificates.crt)
env -i HOME=/root TERM="${TERM:-dumb}" PATH=/usr/sbin:/usr/bin:/sbin:/bin "${through[@]}" \
  chroot "$system" /bin/bash -c 'cd /src/tenrec && exec "$@"' run "$@"
echo "took $((SECONDS - start)) s on a bare Debian 12"
