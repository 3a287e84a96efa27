#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Times every model of some folders with `tenrec bench --vs onnxruntime`, both in one process, and
# prints a row per model and the geometric mean of the ratios (ours / theirs: below 1 is faster).
#
# usage: scripts/bench.sh DIR... [--only PATTERN]... [--threads N] [--json FILE] [--report FILE.md]
#                         [--peer openvino] [bench flags...]
#   --peer openvino: the ratio is to the better of onnxruntime and OpenVINO
# e.g.   scripts/bench.sh ../shared/models --report bench/results/cpu.md
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
python=$("$root/scripts/python_env.sh")
exec "$python" "$root/scripts/bench_models.py" "$@"
