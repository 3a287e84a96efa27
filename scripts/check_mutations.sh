#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Damaged engines and models under the address and undefined-behaviour sanitizers, in full; CI runs
# a sample of the same tests. No crash, no hang, no leak, no allocation beyond reason, no internal
# error.
#
# usage: scripts/check_mutations.sh [COUNT [FOLDER_OF_MODELS]]   (default 10000, our samples only)
set -euo pipefail
cd "$(dirname "$0")/.."
export TENREC_TEST_MUTATIONS=${1:-10000}
[ -z "${2:-}" ] || export TENREC_TEST_MODELS=$2
export ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1
export ASAN_OPTIONS=$ASAN_OPTIONS:allocator_may_return_null=1:max_allocation_size_mb=2048
export UBSAN_OPTIONS=print_stacktrace=1
cmake --preset asan >/dev/null
cmake --build --preset asan -j "$(nproc)" --target fuzz_test >/dev/null
build/asan/bin/fuzz_test --gtest_filter='Mutations.*'
