#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the tutorial (docs/tensorrt.md) on a package, as a user would: unpacks it in an empty folder,
# sets the environment, runs each command and checks what it prints.
#
# usage: tutorial.sh PACKAGE.tar.gz [--models DIR]
#   --models DIR   the segmentation part with DIR/fcn_resnet101.onnx (scripts/export_models.py),
#                  else with a stand-in of the same nodes and an eighth of the channels
#   TENREC_RVM=rvm_mobilenetv3_fp32.onnx   also runs the matting part; with
#   TENREC_DROPIN=$(scripts/dropin_env.sh)   in NVIDIA's Python module and Polygraphy too, and with
#   TENREC_PYTHON=$(scripts/python_env.sh)   in Tenrec's own Python package
set -uo pipefail
package=$(realpath "$1")
fcn=
[ "${2:-}" = --models ] && fcn=$(realpath "$3")/fcn_resnet101.onnx
scripts=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
tar -xzf "$package" --strip-components=1 || exit 1
export LD_LIBRARY_PATH=$PWD/lib/trt:$PWD/lib PATH=$PWD/bin:$PATH

passed=0 failed=0
# step NAME "pattern of a line that must be there|another" COMMAND ...
step() {
  local name=$1 patterns=$2 pattern missing=0
  shift 2
  "$@" > "$name.log" 2>&1
  local status=$?
  IFS='|' read -ra lines <<< "$patterns"
  for pattern in "${lines[@]}"; do
    grep -q -- "$pattern" "$name.log" || { echo "$name: no line like: $pattern"; missing=1; }
  done
  if [ $status -eq 0 ] && [ $missing -eq 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "failed: $name (status $status)"
    tail -5 "$name.log"
  fi
}
summary='&&&& PASSED TensorRT.trtexec|=== Performance summary ===|Throughput: '
summary+='|Latency: min = |GPU Compute Time: min = '
quick=(--duration=0 --iterations=3 --warmUp=0)

step make "" make -C samples/tensorrt
step help "=== Build Options ===|--onnx" trtexec -h
step mnist '&&&& RUNNING TensorRT.sample_mnist|Class 7: \*\*\*|&&&& PASSED TensorRT.sample_mnist' \
  sample_mnist -d data/mnist/ --fp16
step trtexec_mnist "$summary|=== Model Options ===|=== Device Information ===" \
  trtexec --onnx=data/mnist/mnist.onnx --saveEngine=mnist.engine "${quick[@]}"
for each in mnist:sample_mnist trtexec_mnist:trtexec_mnist; do
  step "lines_of_${each%:*}" "" "$scripts/check_log.py" \
    "$scripts/../tests/tutorial/${each#*:}.txt" "${each%:*}.log"
done
step trtexec_json "$summary" trtexec --loadEngine=mnist.engine --exportTimes=times.json \
  --exportOutput=output.json --exportProfile=profile.json --separateProfileRun \
  --exportLayerInfo=layers.json "${quick[@]}"
step trtexec_detailed "$summary" trtexec --onnx=data/mnist/mnist.onnx --builderOptimizationLevel=0 \
  --profilingVerbosity=detailed --exportLayerInfo=detailed.json "${quick[@]}"
mv detailed.json detailed.layers.json
for each in times.json output.json profile.json layers.json detailed.layers.json; do
  kind=${each%.json}
  step "keys_of_${each%.json}" "" "$scripts/check_json.py" "${kind#detailed.}" "$each"
done
step trtexec_unknown_fails "" bash -c '! trtexec --noSuchFlag'

# The tutorial's ranges and sizes; nothing is timed while building.
if [ -z "$fcn" ] && [ -n "${TENREC_PYTHON:-}" ]; then
  fcn=$work/stand-in.onnx
  step fcn_stand_in "" "$TENREC_PYTHON" "$scripts/make_fcn.py" "$fcn"
fi
if [ -n "$fcn" ]; then
  cp "$fcn" fcn-resnet101.onnx
  step fcn_build '&&&& PASSED TensorRT.trtexec|Created engine with size' \
    trtexec --onnx=fcn-resnet101.onnx --fp16 --workspace=64 --builderOptimizationLevel=0 \
    --minShapes=input:1x3x256x256 --optShapes=input:1x3x1026x1282 \
    --maxShapes=input:1x3x1440x2560 --buildOnly --saveEngine=fcn-resnet101.engine
  step fcn_run "$summary" trtexec --shapes=input:1x3x1026x1282 \
    --loadEngine=fcn-resnet101.engine "${quick[@]}"
  for each in fcn_build fcn_run; do
    step "lines_of_$each" "" "$scripts/check_log.py" "$scripts/../tests/tutorial/$each.txt" \
      "$each.log"
  done
  (printf 'P6\n1282 1026\n255\n'; yes 'every pixel another' | head -c $((1282 * 1026 * 3))) \
    > input.ppm
  step segmentation "output.ppm: 1282 x 1026 pixels" segmentation_tutorial
fi
if [ -n "${TENREC_RVM:-}" ]; then
  step rvm_no_shapes "$summary" trtexec --onnx="$TENREC_RVM" --verbose \
    --builderOptimizationLevel=0 --saveEngine=rvm.engine "${quick[@]}"
  (printf 'P6\n256 144\n255\n'; head -c $((256 * 144 * 3)) /dev/zero | tr '\0' '\200') > frame.ppm
  step rvm_infer "wrote frame_matting.pam" rvm_infer rvm.engine frame.ppm frame.ppm
  if [ -n "${TENREC_PYTHON:-}" ]; then
    mv frame_matting.pam expected.pam
    step rvm_python "wrote frame_matting.pam" env PYTHONPATH=python "$TENREC_PYTHON" \
      samples/tenrec/rvm_infer.py rvm.engine frame.ppm frame.ppm
    step rvm_python_same "" cmp frame_matting.pam expected.pam
  fi
fi
# As the tutorial compares: the ratio a constant, onnxruntime's outputs kept in a file, then an
# engine for each precision on the same inputs.
if [ -n "${TENREC_RVM:-}" ] && [ -n "${TENREC_DROPIN:-}" ]; then
  PATH=$TENREC_DROPIN:$PATH
  step rvm_modify "" python "$scripts/dropin_rvm.py" --modify "$TENREC_RVM" rvm5.onnx 144 256 0.25
  step polygraphy_onnxrt 'Saving inference results to onnx_outputs.json|PASSED .* Command: ' \
    polygraphy run rvm5.onnx --onnxrt --val-range '[0,1]' --save-inputs onnx_inputs.json \
    --save-outputs onnx_outputs.json
  for precision in fp32 fp16; do
    flags=(--onnx=rvm5.onnx --builderOptimizationLevel=0 --buildOnly)
    [ "$precision" = fp32 ] || flags+=(--fp16)
    step "rvm_build_$precision" '&&&& PASSED TensorRT.trtexec' \
      trtexec "${flags[@]}" "--saveEngine=rvm5_$precision.engine"
    step "polygraphy_$precision" 'Pass Rate: 100.00%|PASSED .* Command: ' \
      polygraphy run "rvm5_$precision.engine" --model-type engine --trt \
      --load-inputs onnx_inputs.json --load-outputs onnx_outputs.json --rtol 1e-3 --atol 1e-3
  done
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
