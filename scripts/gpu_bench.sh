#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The GPU benchmark table, in parts that each take less than ten minutes of a GPU:
#   scripts/gpu_bench.sh --part N [options of bench/peers/gpu.py]
# 1 FCN-ResNet-101, 2 ResNet-50, 3 BERT and ViT, 4 MobileNetV3 and MNIST, 5 RVM (RVM=folder of its
# torch code). Needs torch with CUDA; rows go to bench/results/DATE-GPU.json.
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 bench/peers/gpu.py "$@"
