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
  '*.cpp' '*.h' '*.cuh' '*.cu' | sort -u)
[ ${#files[@]} -gt 0 ] || exit 0
if [ "${1:-}" = --check ]; then
  bad=0
  for file in "${files[@]}"; do
    if [ -f "$file" ] && ! $tool "$file" | cmp -s "$file" -; then
      echo "$file: not formatted; run scripts/format.sh"
      bad=1
    fi
  done
  exit $bad
fi
$tool -i "${files[@]}"
