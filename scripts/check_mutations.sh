#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Damaged inputs under the address and undefined-behaviour sanitizers, in full; CI runs a sample and
# replays the kept inputs. No crash, no hang, no leak, no allocation beyond reason, no internal
# error.
#
# usage: scripts/check_mutations.sh [COUNT [FOLDER_OF_MODELS]]   (default 10000, our samples only)
#          engines and models changed field by field, built, loaded and run on all of the CPU target
#        scripts/check_mutations.sh --fuzz COUNT [TARGET...]     (default: every target)
#          COUNT inputs a target by libFuzzer (Debian's clang-19 and libclang-rt-19-dev), starting
#          from tests/fuzz/corpus and what earlier slices found in build/fuzz/corpus; failing inputs
#          go to build/fuzz/findings. To keep what is new, the fewest inputs that reach it all:
#        scripts/check_mutations.sh --keep TARGET...
set -euo pipefail
cd "$(dirname "$0")/.."
export ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1
export ASAN_OPTIONS=$ASAN_OPTIONS:allocator_may_return_null=1:max_allocation_size_mb=2048
export UBSAN_OPTIONS=print_stacktrace=1
corpus=tests/fuzz/corpus
found=build/fuzz/corpus

build_fuzzer() {
  cmake --preset fuzz >/dev/null
  cmake --build --preset fuzz -j "$(nproc)" --target fuzzer >/dev/null
  mkdir -p build/fuzz/findings
}

fuzzer() {  # TARGET ARGUMENT...
  TENREC_FUZZ_TARGET=$1 build/fuzz/bin/fuzzer "${@:2}"
}

fuzz() {  # TARGET COUNT
  local log=build/fuzz/$1.log code=0
  mkdir -p "$found/$1"
  fuzzer "$1" "$found/$1" "$corpus/$1" -runs="$2" -timeout=60 -rss_limit_mb=4096 \
    -print_final_stats=1 "-artifact_prefix=build/fuzz/findings/$1-" >"$log" 2>&1 || code=$?
  [ "$code" -eq 0 ] || grep -A12 -m1 -E "^($1:|==[0-9]+==|ALARM)" "$log" || true
  echo "$1: $(awk '/number_of_executed_units/ { print $2 }' "$log") inputs, exit code $code"
  return "$code"
}

keep() {  # TARGET
  local kept=build/fuzz/kept/$1
  rm -rf "$kept"
  mkdir -p "$kept" "$found/$1"
  fuzzer "$1" -set_cover_merge=1 "$kept" "$corpus/$1" "$found/$1" >"build/fuzz/$1.log" 2>&1
  rm -rf "${corpus:?}/$1"
  cp -r "$kept" "$corpus/$1"
  echo "$1: $(find "$corpus/$1" -type f | wc -l) inputs kept"
}

case "${1:-}" in
  --fuzz)
    targets=("${@:3}")
    [ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(ls $corpus)
    build_fuzzer
    failed=0
    for target in "${targets[@]}"; do fuzz "$target" "${2:?COUNT}" || failed=1; done
    exit "$failed"
    ;;
  --keep)
    build_fuzzer
    for target in "${@:2}"; do keep "$target"; done
    exit 0
    ;;
esac

export TENREC_TEST_MUTATIONS=${1:-10000}
[ -z "${2:-}" ] || export TENREC_TEST_MODELS=$2
cmake --preset asan >/dev/null
cmake --build --preset asan -j "$(nproc)" --target fuzz_test >/dev/null
build/asan/bin/fuzz_test --gtest_filter='Mutations.*'
