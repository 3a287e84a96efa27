#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Random shapes inside one profile: no memory taken after the first run at the largest shape, and
# results equal to a fresh engine's of just that shape and to the interpreter's.
#
# usage: scripts/check_shapes.sh [--runs N] [--fixed-every N] [--interpreter-every N] [MODELS]
#   defaults: 1000 shapes, each against a fixed engine, every 50th against the interpreter, with the
#   models of ../shared/models. A sample: --runs 20 --fixed-every 10 --interpreter-every 20
set -euo pipefail
cd "$(dirname "$0")/.."
runs=1000 fixed=1 interpreter=50
while [[ "${1:-}" == --* ]]; do
  case "$1" in
    --runs) runs=$2 ;;
    --fixed-every) fixed=$2 ;;
    --interpreter-every) interpreter=$2 ;;
    *) sed -n '3,9s/^# \?//p' "$0" >&2; exit 2 ;;
  esac
  shift 2
done
models=${1:-../shared/models}
cmake --build build/release --target check_shapes -j "$(nproc)" >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
zstd -qd "$models/rvm/rvm_mobilenetv3_fp32.onnx.zst" -o "$work/rvm_mobilenetv3_fp32.onnx"

passed=0 failed=0
check() {
  if build/release/bin/check_shapes "$@" --runs "$runs" --fixed-every "$fixed" \
      --interpreter-every "$interpreter"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
}

check "$models/ppocr-cls.onnx" --range x=1x3x48x32:4x3x48x320
check "$models/silero-vad.onnx" --value sr=16000 \
  --range input=1x576:4x576 --range state=2x1x128:2x4x128 --same input:0=state:1
# RVM's states begin as [1, 1, 1, 1] and come back at their true size; its README allows 2e-3.
check "$work/rvm_mobilenetv3_fp32.onnx" --value downsample_ratio=1 --tolerance 2e-3 \
  --range src=1x3x64x64:1x3x320x320 \
  --range r1i=1x1x1x1:1x16x160x160 --range r2i=1x1x1x1:1x20x80x80 \
  --range r3i=1x1x1x1:1x40x40x40 --range r4i=1x1x1x1:1x64x20x20 \
  --feed r1i=r1o --feed r2i=r2o --feed r3i=r3o --feed r4i=r4o
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
