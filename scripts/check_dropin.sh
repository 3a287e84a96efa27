#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Programs that are already built against TensorRT 10 run on Tenrec: NVIDIA's Python bindings and
# Polygraphy from PyPI, in a venv of their own, with only our libraries on the library path and no
# GPU. Neither is ever shipped.
#
# usage: check_dropin.sh [MODEL.onnx ...]   (default: the models of $TENREC_MODELS)
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
build=${TENREC_BUILD:-build/release}
libraries="$PWD/$build/lib/trt:$PWD/$build/lib"
work=build/dropin
programs=$(scripts/dropin_env.sh) || exit 1

rm -rf "$work"
mkdir -p "$work"
# What can't pass, how it may fail and why; it is run all the same, and fails once it passes.
declare -A excuses=() reasons=()
for step in run engine; do
  excuses[mlsd-tiny-512.$step]="Mismatched outputs: ['offsets']"
  reasons[mlsd-tiny-512.$step]="offsets reach 787 and 1e-3 is 2^-20 of them; onnxruntime without"
  reasons[mlsd-tiny-512.$step]+=" its optimisations is 0.044 from itself with them"
done

passed=0 failed=0 excused=0
check() {
  local name=$1
  shift
  if LD_LIBRARY_PATH="$libraries" "$@" > "$work/$name.log" 2>&1; then
    if [ -z "${excuses[$name]:-}" ]; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      echo "failed: $name passes now; remove its excuse"
    fi
  elif [ -n "${excuses[$name]:-}" ] && grep -qF "${excuses[$name]}" "$work/$name.log"; then
    excused=$((excused + 1))
    echo "excused: $name: ${reasons[$name]}"
  else
    failed=$((failed + 1))
    echo "failed: $name (see $work/$name.log)"
    tail -3 "$work/$name.log" | cut -c1-300
  fi
}
python=$programs/python
polygraphy=$programs/polygraphy

"$build/bin/api_make_models" "$work" || exit 1
check bindings "$python" tests/api/dropin.py "$work"

models=("$@")
if [ ${#models[@]} -eq 0 ]; then
  models=(samples/mnist/mnist.onnx)
  [ -d "${TENREC_MODELS:-}" ] && mapfile -t models < <(ls "$TENREC_MODELS"/*.onnx)
fi
for model in "${models[@]}"; do
  name=$(basename "$model" .onnx)
  inputs=$work/$name.inputs.json
  mapfile -t shapes < <("$python" scripts/dropin_inputs.py "$model" "$inputs" 2> "$work/$name.log")
  shape_flags=()
  [ ${#shapes[@]} -gt 0 ] && shape_flags=(--input-shapes "${shapes[@]}")
  check "$name.run" "$polygraphy" run "$model" --onnxrt --trt --rtol 1e-3 --atol 1e-3 \
    --builder-optimization-level 0 "${shape_flags[@]}" \
    --load-inputs "$inputs" --save-engine "$work/$name.engine" \
    --save-outputs "$work/$name.outputs.json"
  check "$name.engine" "$polygraphy" run "$work/$name.engine" --model-type engine --trt \
    --load-inputs "$inputs" --load-outputs "$work/$name.outputs.json" \
    --rtol 1e-3 --atol 1e-3
  check "$name.inspect_engine" "$polygraphy" inspect model "$work/$name.engine" \
    --model-type engine --show layers
  check "$name.inspect_network" "$polygraphy" inspect model "$model" --display-as trt \
    --show layers
done
check mnist.convert "$polygraphy" convert samples/mnist/mnist.onnx --convert-to trt \
  --builder-optimization-level 0 -o "$work/mnist.plan"
rvm=${TENREC_MODELS:-}/rvm
if [ -f "$rvm/rvm_mobilenetv3_fp32.onnx.zst" ]; then
  zstd -dqf "$rvm/rvm_mobilenetv3_fp32.onnx.zst" -o "$work/rvm.onnx" &&
    check rvm "$python" scripts/dropin_rvm.py "$work/rvm.onnx" "$rvm"
fi
echo "$excused excused"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
