#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes build/venv-dropin with NVIDIA's Python bindings (no GPU library among them) and Polygraphy
# from PyPI, for tests only, and prints its folder of programs.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(tensorrt_cu13_bindings==10.16.1.11 polygraphy==0.53.6)
others=(onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6 onnx_graphsurgeon==0.6.1)
venv=build/venv-dropin
stamp="$venv/.packages"

if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "${packages[*]} ${others[*]}" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  pip=("$venv/bin/pip" --quiet --disable-pip-version-check)
  "${pip[@]}" install --no-deps "${packages[@]}" >&2
  "${pip[@]}" install "${others[@]}" >&2
  site=$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
  mkdir -p "$site/tensorrt"
  echo 'from tensorrt_bindings import *; from tensorrt_bindings import __version__' \
    > "$site/tensorrt/__init__.py"
  echo "${packages[*]} ${others[*]}" > "$stamp"
fi
echo "$PWD/$venv/bin"
