#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes build/tenrec-VERSION-ARCH.tar.gz: a relocatable tree (bin lib include samples data docs, and
# python where the build has the package) of the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^project(tenrec VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
name=tenrec-$version-$(uname -m)
tree=build/$name
rm -rf "$tree"
mkdir -p "$tree"
cmake --install build/release --prefix "$PWD/$tree" > /dev/null
# One lib folder whatever the distribution calls it.
libdir=$(dirname "$(find "$tree" -name 'libtenrec.so' | head -1)")
if [ "$libdir" != "$tree/lib" ]; then
  mkdir -p "$tree/lib.new"
  cp -a "$libdir/." "$tree/lib.new/"
  rm -rf "${tree:?}/lib"
  mv "$tree/lib.new" "$tree/lib"
fi
mkdir -p "$tree/samples" "$tree/data/mnist" "$tree/docs"
cp -r samples/tensorrt samples/tenrec samples/picture.h "$tree/samples/"
cp -r samples/mnist "$tree/samples/"
cp samples/mnist/mnist.onnx samples/mnist/digits/*.pgm samples/mnist/NOTICE "$tree/data/mnist/"
cp docs/tensorrt.md docs/tensorrt-methods.md "$tree/docs/"
cp LICENSE README.md "$tree/"
tar -C build -czf "build/$name.tar.gz" "$name"
echo "build/$name.tar.gz"
