#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the release build into a folder, moves it, and builds and runs a program of somebody else
# against it, once through find_package and once through pkg-config.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
work=build/package
rm -rf "$work"
mkdir -p "$work"
passed=0 failed=0
check() {
  local what=$1
  shift
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "failed: $what"; fi
}
model=samples/mnist/mnist.onnx

through_cmake() {
  cmake -S tests/package -B "$work/cmake" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$PWD/$work/tree" &&
    cmake --build "$work/cmake" &&
    "$work/cmake/consumer" "$model" "$work/cmake.engine"
}

through_pkg_config() {
  local lib flags=()
  lib=$(dirname "$(find "$work/tree" -name tenrec.pc)")
  read -ra flags < <(PKG_CONFIG_PATH=$lib pkg-config --cflags --libs tenrec) &&
    g++ tests/package/consumer.cpp -o "$work/consumer" "${flags[@]}" \
      -Wl,-rpath,"$PWD/${lib%/pkgconfig}" &&
    "$work/consumer" "$model" "$work/pkgconfig.engine"
}

command_runs() {
  "$work/tree/bin/tenrec" --help >/dev/null
}

cmake --install build/release --prefix "$PWD/$work/installed" >/dev/null || exit 1
mv "$work/installed" "$work/tree"
check "find_package(tenrec)" through_cmake
check "pkg-config tenrec" through_pkg_config
check "the installed command" command_runs
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
