#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How long ResNet-50's engine takes from its file to the first result, and how much memory loading
# needs beside the weights: at most 300 ms and 1.2 times.
#
# usage: scripts/check_load.sh [MODEL.onnx]     (default: ../models-exported/resnet50.onnx)
set -euo pipefail
cd "$(dirname "$0")/.."
model=${1:-../models-exported/resnet50.onnx}
cmake --build build/release --target tenrec check_load -j "$(nproc)" >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build/release/bin/tenrec build "$model" --no-tune -o "$work/model.engine" >/dev/null 2>&1
build/release/bin/check_load "$work/model.engine" "$(stat -c %s "$model")"
