#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The clients of tests/api that use TensorRT's interface wrongly and rightly, with AddressSanitizer
# and UBSan in the interface and the clients; what lies behind is the release build's. By hand: CI's
# sanitizers leave the interface out, to save the time it takes to compile.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
release=build/release work=build/wrong-use
jobs=$(nproc)
mkdir -p "$work"
flags=(-std=c++20 -O1 -g1 -fPIC "-fsanitize=address,undefined" -fno-sanitize-recover=all
  -fno-sanitize=vptr -fno-omit-frame-pointer -DFMT_SHARED -DTENREC_CUDART_MAJOR=13
  -Iinclude -Isrc "-I$release/generated" -isystem include/trt -isystem include/cudart)

compile() {  # SOURCE: once, until it or a header of the interface changes
  local object=$work/${1//\//_}.o
  [ "$object" -nt "$1" ] && [ -z "$(find src/api include -newer "$object" -name '*.h')" ] && return
  echo "compiling $1"
  ccache g++ "${flags[@]}" -c "$1" -o "$object"
}
mapfile -t interface < <(ls src/api/*.cpp src/api/cudart/*.cpp src/api/shells/*.cpp)
clients=(wrong_use named_10 build_10 bindings_8)
running=0
for source in "${interface[@]}" "${clients[@]/#/tests/api/clients/}"; do
  [ -f "$source" ] || source=$source.cpp
  compile "$source" &
  running=$((running + 1))
  [ $((running % jobs)) -ne 0 ] || wait
done
wait

objects=("${interface[@]//\//_}")
objects=("${objects[@]/#/$work/}")
# Only what this build's list names: a folder that was built in several ways has objects twice.
mapfile -t behind < <(sed -n 's/.* -o \([^ ]*\.o\) .*/\1/p' "$release/compile_commands.json" |
  grep '^src/.*/tenrec_[^/]*\.dir/' |
  grep -v -e tenrec_api.dir -e tenrec_runtime_only.dir -e tenrec_imgcodecs.dir \
    -e tenrec_threads_only.dir | sort -u | sed "s|^|$release/|")
mkdir -p "$work/models" && "$release/bin/api_make_models" "$work/models" || exit 1
passed=0 failed=0
for client in "${clients[@]}"; do
  if g++ -fsanitize=address,undefined "$work/tests_api_clients_$client.cpp.o" \
    "${objects[@]/%/.o}" "${behind[@]}" -o "$work/$client" \
    -lfmt -ldnnl -lhwy -lgomp -ldl -lpthread &&
    MODELS=$work/models ASAN_OPTIONS=detect_leaks=1 "$work/$client"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "failed: $client"
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
