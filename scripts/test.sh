#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs every test, cheapest first. Every stage runs even if an earlier one failed; the
# last line sums them up as `N passed, N failed`, and the exit code is 1 if anything failed.
#
# usage: scripts/test.sh [--quick] [STAGE...]
#   --quick   without the sanitizers and the model checks
#   STAGE     only these: style harness build unit python sample package tutorial conformance fuzz
#             models asan tsan
# Logs are in build/test/.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
logs=build/test
jobs=$(nproc)
export CTEST_PARALLEL_LEVEL=$jobs

# What the sanitizers are for: code that reads bytes from outside or moves memory about.
asan_folders=(base onnx ir import plan runtime threads targets errors fuzz)
tsan_folders=(runtime threads)
# Models on which our own kernels alone have to do as well, beside all models with every kernel.
no_vendor_models=(mnist ultraface-rfb-320-ortex gtcrn silero-vad-op18 tract rvm_mobilenetv3_fp32)

# Stages -------------------------------------------------------------------------------------------

counted() {  # runs a command as one check
  if "$@"; then echo "1 passed, 0 failed"; else echo "$*: failed"; echo "0 passed, 1 failed"; fi
}

stage_style() {
  counted scripts/format.sh --check
  counted scripts/check_layers.py
  counted scripts/check_style.py
  counted scripts/check_fields.py
  counted scripts/trt_table.py --check
  counted codespell
  counted shellcheck scripts/*.sh .ci/run
}

stage_harness() {
  local python
  python=$(scripts/python_env.sh) || return 1
  "$python" tests/scripts/check_layers_test.py && "$python" tests/scripts/check_models_test.py
}

# A first build is made in one go; who builds often configures it before (CONTRIBUTING.md).
configure() {  # PRESET [OPTION]...
  local preset=$1 once=()
  shift
  [ -e "build/$preset/CMakeCache.txt" ] || once=(-DTENREC_ONCE=ON)
  cmake --preset "$preset" "${once[@]}" "$@"
}

stage_build() {
  local python package=()
  # Without PyPI the stages that need Python fail; the others can still tell something.
  python=$(scripts/python_env.sh) && package=(-DTENREC_PYTHON=ON "-DPython_EXECUTABLE=$python")
  configure release -DTENREC_TESTS=ON "${package[@]}" &&
    counted cmake --build --preset release -j "$jobs"
}

stage_unit() {
  ctest --preset release
}

stage_sample() {  # all ten digits, through the command and the public API
  local bin=build/release/bin model=samples/mnist/mnist.onnx engine=$logs/mnist.engine digit
  "$bin/tenrec" build "$model" -o "$engine" --no-tune &&
    "$bin/tenrec" build "$model" -o "$engine.again" --no-tune || return 1
  counted cmp "$engine" "$engine.again"  # the same inputs and options give the same bytes
  for digit in samples/mnist/digits/*.pgm; do
    counted "$bin/sample_mnist" "$engine" "$digit"
  done
}

stage_python() {  # the package, its sample and all of ONNX's tests of backends
  local python model=../shared/models/rvm/rvm_mobilenetv3_fp32.onnx.zst
  python=$(scripts/python_env.sh) || return 1
  export PYTHONPATH=$PWD/build/release/python
  "$python" tests/python/package_test.py
  if [ -f "$model" ]; then
    zstd -dqf "$model" -o "$logs/rvm.onnx" &&
      "$python" tests/python/samples_test.py build/release/bin "$logs/rvm.onnx"
  fi
  scripts/check_backend.sh
}

stage_package() {
  scripts/check_package.sh
}

# The tutorial on a package, at sizes that two cores can bear; NVIDIA's Python module on MNIST.
stage_tutorial() {
  local package python programs model=../shared/models/rvm/rvm_mobilenetv3_fp32.onnx.zst
  package=$(scripts/package.sh) && python=$(scripts/python_env.sh) &&
    programs=$(scripts/dropin_env.sh) || return 1
  export TENREC_PYTHON=$python TENREC_DROPIN=$programs
  if [ -f "$model" ]; then
    zstd -dqf "$model" -o "$logs/rvm.onnx" || return 1
    export TENREC_RVM=$PWD/$logs/rvm.onnx
  fi
  scripts/tutorial.sh "$package"
  scripts/check_dropin.sh
}

cases=../shared/onnx-cases/onnx-node-tests.tar.zst

# ONNX's own test cases and ours, interpreter and CPU target; then the page that says what passed.
stage_conformance() {
  local python tenrec=build/release/bin/tenrec folder=build/conformance
  python=$(scripts/python_env.sh) || return 1
  rm -rf "$folder" && mkdir -p "$folder/onnx" || return 1
  tar --zstd -xf "$cases" -C "$folder/onnx" || return 1
  "$python" tests/conformance/newest_cases.py "$folder/onnx" || return 1
  "$python" tests/conformance/make_cases.py "$folder/own" || return 1
  "$tenrec" conformance "$folder/onnx" --expected tests/conformance/expected_failures.txt --json \
    > "$folder/onnx.json"
  "$tenrec" conformance "$folder/own" --json > "$folder/own.json"
  "$python" tests/conformance/make_type_cases.py "$folder/onnx" "$folder/types" || return 1
  # The evaluator rounds each step: a few units of bfloat16's last place, or of float32's.
  "$tenrec" conformance "$folder/types/wide" --rtol 1e-3 --atol 1e-5 --json > "$folder/wide.json"
  "$tenrec" conformance "$folder/types/narrow" --rtol 2e-2 --atol 2e-2 --json \
    > "$folder/narrow.json"
  "$python" scripts/conformance_report.py "$folder"/{onnx,own,wide,narrow}.json
  # A sample; without --count all of it, in half a minute.
  PYTHONPATH=$PWD/build/release/python "$python" tests/conformance/invalid_models.py \
    "$folder/onnx" --count 400 --keep "$logs/invalid"
  "$python" scripts/operators_doc.py "$tenrec" "$folder"/{onnx,own}.json \
    --types "$folder"/{wide,narrow}.json --check
}

stage_fuzz() {  # the same cases every time; other seeds by hand
  local python
  python=$(scripts/python_env.sh) || return 1
  "$python" scripts/fuzz_operators.py build/release/bin/tenrec --seconds 60 \
    --seed 7 --keep "$logs/fuzz"
}

stage_models() {
  local only=() name
  for name in "${no_vendor_models[@]}"; do only+=(--only "$name"); done
  scripts/check_models.sh ../shared/models
  scripts/check_models.sh ../shared/models "${only[@]}" --no-vendor --no-tune
  # A sample of scripts/check_shapes.sh, whose whole count takes an hour.
  scripts/check_shapes.sh --runs 10 --fixed-every 5 --interpreter-every 0
}

sanitized() {  # PRESET FOLDER...: the tests of these folders under a sanitizer
  local preset=$1 targets labels
  shift
  targets=("${@/%/_test}")
  labels=$(IFS='|'; echo "$*")
  configure "$preset" &&
    cmake --build --preset "$preset" -j "$jobs" --target "${targets[@]}" &&
    ctest --preset "$preset" --label-regex "^($labels)\$"
}

stage_asan() {
  ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1:allocator_may_return_null=1 \
  UBSAN_OPTIONS=print_stacktrace=1 sanitized asan "${asan_folders[@]}"
}

stage_tsan() {
  # A sample; scripts/check_soak.sh does it on the whole CPU target for as long as one likes.
  TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 TENREC_SOAK_SECONDS=10 \
    sanitized tsan "${tsan_folders[@]}"
}

# Counting -----------------------------------------------------------------------------------------

# Adds up what the tools in a log say of themselves: ours, ctest and Python's unittest.
counts() {
  awk '
    /^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3 }
    /tests passed, [0-9]+ tests? failed out of [0-9]+/ {
      match($0, /, [0-9]+ tests? failed out of [0-9]+/)
      split(substr($0, RSTART + 2, RLENGTH - 2), word, " ")
      failed += word[1]; passed += word[6] - word[1]
    }
    /^Ran [0-9]+ tests? in/ { ran = $2 }
    /^OK/ && ran { passed += ran; ran = 0 }
    /^FAILED \(/ && ran {
      bad = 0
      line = $0
      while (match(line, /=[0-9]+/)) {
        bad += substr(line, RSTART + 1, RLENGTH - 1); line = substr(line, RSTART + RLENGTH)
      }
      failed += bad; passed += ran - bad; ran = 0
    }
    END { print passed + 0, failed + 0 }' "$1"
}

passed_total=0 failed_total=0
run_stage() {
  local name=$1 log="$logs/$1.log" start=$SECONDS code passed failed
  printf '== %s\n' "$name"
  "stage_$name" > "$log" 2>&1 < /dev/null
  code=$?
  read -r passed failed < <(counts "$log")
  # A stage that stops without a count has failed, and so has one that ran no test at all.
  [ "$code" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
  [ $((passed + failed)) -gt 0 ] || failed=1
  if [ "$failed" -gt 0 ]; then
    tail -n 80 "$log"
  elif [ "$name" = models ]; then
    cat "$log"
  fi
  printf '   %s: %d passed, %d failed (%d s)\n' "$name" "$passed" "$failed" $((SECONDS - start))
  passed_total=$((passed_total + passed))
  failed_total=$((failed_total + failed))
}

# `fuzz` runs by hand: it still finds cases in which ONNX's text and onnxruntime may differ.
all=(style harness build unit python sample package tutorial conformance models asan tsan)
# The models and ONNX's cases lie beside the repository where it is developed; a clone elsewhere has
# none.
left_out=()
needs() {  # PATH STAGE
  [ -e "$1" ] && return
  all=("${all[@]/$2/}")
  left_out+=("$2 left out: there is no $1")
}
needs ../shared/models models
needs "$cases" conformance
stages=()
for argument in "$@"; do
  case "$argument" in
    --quick) stages=(style harness build unit python sample package) ;;
    -*) sed -n '3,10s/^# \?//p' "$0" >&2; exit 2 ;;
    *)
      if [[ " ${all[*]} fuzz " != *" $argument "* ]]; then
        echo "no stage $argument; there are ${all[*]}" >&2
        exit 2
      fi
      stages+=("$argument")
      ;;
  esac
done
if [ ${#stages[@]} -eq 0 ]; then
  stages=("${all[@]}")
  [ ${#left_out[@]} -eq 0 ] || printf '%s\n' "${left_out[@]}"
fi

scripts/install_deps.sh --test || { echo "0 passed, 1 failed"; exit 1; }
mkdir -p "$logs"
for stage in "${stages[@]}"; do
  [ -z "$stage" ] || run_stage "$stage"
done
echo "$passed_total passed, $failed_total failed"
[ "$failed_total" -eq 0 ]
