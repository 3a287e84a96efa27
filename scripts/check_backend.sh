#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs ONNX's own tests of backends on the Python package of the release build
# (-DTENREC_PYTHON=ON). Takes scripts/check_backend.py's arguments.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(scripts/python_env.sh)
PYTHONPATH=${TENREC_BUILD:-build/release}/python exec "$python" scripts/check_backend.py "$@"
