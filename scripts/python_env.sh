#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes build/venv with what the checks compare against and what the Python package is built with,
# and prints the path of its Python. With "openvino": build/venv-openvino, a second peer to time.
# Pinned, so that a new release of a reference runtime cannot change what CI says.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6 nanobind==3.1.0)
venv=build/venv
if [ "${1:-}" = openvino ]; then
  packages=(openvino==2026.4.0 numpy==2.4.6)
  venv=build/venv-openvino
fi
stamp="$venv/.packages"

if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "${packages[*]}" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" >&2
  echo "${packages[*]}" > "$stamp"
fi
echo "$PWD/$venv/bin/python"
