# SPDX-License-Identifier: Apache-2.0
# Compiler flags for every target of the project, as one interface library.
find_program(TENREC_CCACHE ccache)
if(TENREC_CCACHE AND NOT TENREC_ONCE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${TENREC_CCACHE})
endif()

add_library(tenrec_flags INTERFACE)
target_compile_options(tenrec_flags INTERFACE -Wall -Wextra -Wconversion -fno-math-errno)
if(TENREC_WERROR)
  target_compile_options(tenrec_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives of these inside libstdc++ at -O2.
  target_compile_options(tenrec_flags INTERFACE -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow
                                                -Wno-maybe-uninitialized -Wno-dangling-reference
                                                -Wno-dangling-pointer)
endif()
if(TENREC_SANITIZE)
  target_compile_options(tenrec_flags INTERFACE -fsanitize=${TENREC_SANITIZE} -fno-omit-frame-pointer
                                                -fno-sanitize-recover=all)
  target_link_options(tenrec_flags INTERFACE -fsanitize=${TENREC_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND TENREC_SANITIZE MATCHES address)
    # The unrolled kernels compile in a third of the time with checks of memory as calls, and
    # without object-size, which finds nothing that the address sanitizer does not.
    target_compile_options(tenrec_flags INTERFACE -fno-sanitize=object-size
                                                  --param asan-instrumentation-with-call-threshold=0)
  endif()
endif()
target_include_directories(tenrec_flags INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src
                                                  ${PROJECT_BINARY_DIR}/generated)

# What most files include, precompiled; more headers may follow the target's name. ccache and people
# who change one file at a time are better off without.
function(tenrec_precompile target)
  if(TENREC_ONCE)
    target_precompile_headers(
      ${target} PRIVATE <algorithm> <functional> <map> <memory> <optional> <span> <string> <tuple>
                        <vector> <fmt/format.h> <fmt/ranges.h> ${ARGN})
  endif()
endfunction()
