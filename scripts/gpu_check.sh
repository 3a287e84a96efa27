#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks the CUDA target on the GPU of this machine: every operator case through every kernel and
# tactic, then models against the interpreter. Ends with `N passed, N failed`.
#
# usage: scripts/gpu_check.sh [BIN] [MODELS]
#   BIN     folder with `tenrec` and `gpu_check` (default: build/release/bin)
#   MODELS  folder with .onnx files (default: none)
set -uo pipefail
bin=${1:-build/release/bin}
models=${2:-}

cases=$("$bin/gpu_check" | tee /dev/stderr | tail -n 1)
read -r passed _ failed _ <<<"$cases"
# A program that died has said no numbers.
[[ $passed =~ ^[0-9]+$ && $failed =~ ^[0-9]+$ ]] || { passed=0 failed=1; }

# Products, convolutions and attention in f16 and bf16, channels last, every tactic.
if "$bin/gpu_dense_check"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi

check_model() {  # FILE OPTION...: one check
  local file=$1 output
  shift
  if output=$(timeout 120 "$bin/tenrec" verify "$file" --target cuda "$@" 2>&1); then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED $(basename "$file") $*: $(tail -n 3 <<<"$output" | cut -c1-300)"
  fi
}

if [ -n "$models" ]; then
  for file in "$models"/*.onnx; do
    # What a model needs to be runnable at all stands beside it.
    options=()
    [ ! -f "${file%.onnx}.args" ] || read -ra options <"${file%.onnx}.args"
    check_model "$file" --no-tune "${options[@]}"
    check_model "$file" --no-tune --no-vendor "${options[@]}"
  done
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
