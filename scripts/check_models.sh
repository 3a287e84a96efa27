#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds every ONNX model of a folder into an engine, runs it in a new process and compares the
# results with onnxruntime's. Ends with `N passed, N failed`; exits with 1 if any failed.
#
# usage: scripts/check_models.sh DIR [--only PATTERN] [--tenrec COMMAND] [tenrec build flags...]
# e.g.   scripts/check_models.sh ../shared/models --no-vendor
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
python=$("$root/scripts/python_env.sh")
exec "$python" "$root/scripts/check_models.py" "$@"
