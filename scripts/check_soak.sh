#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Engines of every operator case, shared by 16 threads whose contexts come and go, under
# ThreadSanitizer: no race, and the results are the bits of serial runs. Without oneDNN, whose
# OpenMP the sanitizer does not understand. CI runs a sample of the runtime alone.
#
# usage: scripts/check_soak.sh [SECONDS]     (default 600)
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset tsan -B build/soak -DTENREC_ONEDNN=OFF >/dev/null
cmake --build build/soak -j "$(nproc)" --target check_soak >/dev/null
suppressions=$PWD/tests/models/tsan_suppressions.txt
TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$suppressions \
  build/soak/bin/check_soak "${1:-600}"
