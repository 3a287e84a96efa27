#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what Tenrec needs on Debian 12, as root or with sudo. Does nothing where all is there.
#
# usage: scripts/install_deps.sh [--build | --test | --cuda]
#   --build   enough to build and run `tenrec` (the default)
#   --test    also what scripts/test.sh needs, --cuda included
#   --cuda    CUDA's headers and run-time compiler from PyPI, into build/cuda, for the target cuda
#             (nothing where a CUDA toolkit is installed; not needed as root)
# docs/dependencies.md says what each library is for.
set -euo pipefail

build=(
  g++ cmake ninja-build ccache pkg-config
  libprotozero-dev libfmt-dev libhwy-dev libxxhash-dev
  libdnnl-dev ocl-icd-opencl-dev  # Debian's oneDNN is not found by CMake without OpenCL's headers
  libcli11-dev nlohmann-json3-dev libstb-dev zlib1g-dev
)
test=(
  git make python3 python3-dev python3-venv zstd
  libgtest-dev
  libopencv-imgcodecs-dev  # ImageDecoder; also optional for a build
  clang-format-19 clang-tidy-19 codespell shellcheck
)

# Where neither a toolkit nor PyPI can be had, the build leaves the target out and says so.
install_cuda() {
  local venv packages=(nvidia-cuda-nvrtc==13.0.* nvidia-cuda-runtime==13.0.*)
  venv=$(dirname "$0")/../build/cuda
  [ -e /usr/local/cuda/include/nvrtc.h ] && return
  compgen -G "$venv/lib/python*/site-packages/nvidia/*/include/nvrtc.h" >/dev/null && return
  python3 -m venv "$venv" &&
    "$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" ||
    echo "CUDA's headers could not be fetched from PyPI: the target cuda will be left out" >&2
}

case "${1:---build}" in
  --cuda) install_cuda; exit 0 ;;
  --build) wanted=("${build[@]}") ;;
  --test) wanted=("${build[@]}" "${test[@]}") ;;
  *) sed -n '3,11s/^# \?//p' "$0" >&2; exit 2 ;;
esac

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  [ "${1:-}" != --test ] || install_cuda
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "need root or sudo to install: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# A source list of some other software that does not answer must not stop us: the install will say
# what is really missing.
"${as_root[@]}" apt-get update -qq || true
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
[ "${1:-}" != --test ] || install_cuda
