#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Cross-builds the compiler and the CPU target for 64-bit ARM and runs the operator cases and the
# kernels' tests there, by qemu-user. By hand, not in CI: it takes a quarter of an hour on 2 cores.
# Needs Debian's g++-aarch64-linux-gnu and qemu-user; libraries are unpacked under build/arm64, no
# foreign architecture is added to the machine.
#
# usage: scripts/check_arm64.sh [FILTER]     (of GoogleTest; default: all)
set -euo pipefail
cd "$(dirname "$0")/.."
for program in aarch64-linux-gnu-g++ qemu-aarch64; do
  command -v "$program" >/dev/null || {
    echo "$program is missing: apt-get install g++-aarch64-linux-gnu qemu-user" >&2
    exit 1
  }
done
build=$PWD/build/arm64 sysroot=$PWD/build/arm64/sysroot
packages=(libfmt-dev libfmt9 libxxhash-dev libxxhash0 zlib1g-dev zlib1g libhwy-dev libhwy1
  libstb-dev libstb0 libgtest-dev libprotozero-dev nlohmann-json3-dev libcli11-dev googletest)

# Packages of arm64 by an index of our own, unpacked.
fetch_libraries() {
  [ -e "$sysroot/ready" ] && return
  local lists=$build/apt
  mkdir -p "$lists/lists/partial" "$lists/archives" "$sysroot"
  local apt=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64
    -o Dir::State::Lists="$lists/lists" -o Dir::State::Status=/dev/null
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
  "${apt[@]}" update
  (cd "$lists/archives" && "${apt[@]}" download "${packages[@]}")
  local package
  for package in "$lists"/archives/*.deb; do dpkg -x "$package" "$sysroot"; done
  touch "$sysroot/ready"
}

fetch_libraries
libraries=$sysroot/usr/lib/aarch64-linux-gnu:/usr/aarch64-linux-gnu/lib
run=(qemu-aarch64 -L /usr/aarch64-linux-gnu -E "LD_LIBRARY_PATH=$build/lib:$libraries")
cmake -S . -B "$build" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/aarch64.cmake" \
  -DCMAKE_CROSSCOMPILING_EMULATOR="$(IFS=';'; echo "${run[*]}")" \
  -DTENREC_SYSROOT="$sysroot" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O1 \
  -DTENREC_TESTS=ON -DTENREC_CUDA=OFF -DTENREC_ONEDNN=OFF >/dev/null
cmake --build "$build" -j "$(nproc)" --target cases_test targets_test
export TENREC_TEST_WITHOUT=image_decoder  # OpenCV is not among the libraries
for test in cases_test targets_test; do
  "${run[@]}" "$build/bin/$test" --gtest_filter="${1:-*}" --gtest_brief=1
done
