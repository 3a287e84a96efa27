#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh clone on Debian 12 to a digit read from a picture: installs what is needed (root or
# sudo), builds `tenrec`, makes an engine of a small model and runs it.
#
# usage: scripts/quickstart.sh [DIGIT]
set -euo pipefail
cd "$(dirname "$0")/.."
digit=${1:-7}
step() { printf '\n== %s\n' "$*"; }

step "Packages"
scripts/install_deps.sh --build

step "Build"
cmake --preset release -DTENREC_ONCE=ON
cmake --build --preset release --target tenrec sample_mnist

step "Engine"
bin=build/release/bin
engine=build/release/mnist.engine
"$bin/tenrec" build samples/mnist/mnist.onnx -o "$engine"

step "Run"
"$bin/sample_mnist" "$engine" "samples/mnist/digits/$digit.pgm"
