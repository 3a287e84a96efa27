#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Formats every C++ file of the repository; with --check only says which ones would change.
set -euo pipefail
cd "$(dirname "$0")/.."
tool=clang-format-19
if ! command -v $tool >/dev/null; then
  echo "$tool not found: scripts/install_deps.sh --test" >&2
  exit 1
fi
mapfile -t files < <(git ls-files --cached --others --exclude-standard -- \
  '*.cpp' '*.h' '*.cuh' '*.cu' | sort -u | xargs -r ls -d 2>/dev/null)
[ ${#files[@]} -gt 0 ] || exit 0
if [ "${1:-}" = --check ]; then
  unformatted=$($tool --dry-run "${files[@]}" 2>&1 |
    sed -n 's/:[0-9]*:[0-9]*: warning: .*//p' | sort -u)
  [ -z "$unformatted" ] && exit 0
  echo "$unformatted" | sed 's/$/: not formatted; run scripts\/format.sh/'
  exit 1
fi
$tool -i "${files[@]}"
