#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks the CUDA target on the GPU of this machine: every operator case through every kernel and
# tactic, also under compute-sanitizer where it is there; models against onnxruntime, with the
# vendors' libraries and without; random shapes inside a profile; many threads. Ends with
# `N passed, N failed`.
#
# usage: scripts/gpu_check.sh [BIN] [MODELS]
#   BIN     folder with tenrec, gpu_check, gpu_dense_check, check_shapes and check_threads (default:
#           build/release/bin)
#   MODELS  folder with .onnx files (default: none), as ../shared/models
#   PYTHON  in the environment: one with numpy, onnx and onnxruntime (default: build/venv's)
set -uo pipefail
cd "$(dirname "$0")/.." || exit
bin=${1:-build/release/bin}
models=${2:-}

passed=0 failed=0
count() {  # COMMAND...: its last line says `N passed, N failed`
  local last good _ bad
  last=$("$@" | tee /dev/stderr | tail -n 1)
  read -r good _ bad _ <<<"$last"
  # A program that died has said no numbers.
  [[ $good =~ ^[0-9]+$ && $bad =~ ^[0-9]+$ ]] || { good=0 bad=1; }
  passed=$((passed + good)) failed=$((failed + bad))
}
check() {  # COMMAND...: one check
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

count "$bin/gpu_check"
# Products, convolutions and attention in f16 and bf16, channels last, every tactic.
check "$bin/gpu_dense_check"
if command -v compute-sanitizer >/dev/null; then
  check compute-sanitizer --tool memcheck --error-exitcode 9 "$bin/gpu_check"
fi

if [ -n "$models" ]; then
  python=${PYTHON:-$(scripts/python_env.sh)}
  for vendor in "" --no-vendor; do
    # shellcheck disable=SC2086  # none or one word
    count "$python" scripts/check_models.py "$models" --tenrec "$bin/tenrec" --target cuda \
      --no-tune $vendor
  done
  count "$bin/check_shapes" "$models/ppocr-cls.onnx" --target cuda --steady 1.5 \
    --range x=1x3x48x32:4x3x48x320 --fixed-every 500 --interpreter-every 250
  count "$bin/check_shapes" "$models/silero-vad.onnx" --target cuda --steady 1.5 --value sr=16000 \
    --range input=1x576:4x576 --range state=2x1x128:2x4x128 --same input:0=state:1 \
    --fixed-every 500 --interpreter-every 250
  count "$bin/check_threads" "$models/ppocr-cls.onnx" cuda x=1x3x48x192
  count "$bin/check_threads" "$models/ultraface-rfb-320.onnx" cuda
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
