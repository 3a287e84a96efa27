# SPDX-License-Identifier: Apache-2.0
# CUDA's headers, from a toolkit or from PyPI's wheels in build/cuda (scripts/install_deps.sh
# --cuda). Nothing of CUDA is linked: its libraries are opened at run time. Where there are no
# headers the target is left out.
option(TENREC_CUDA "Build the target for NVIDIA GPUs, where CUDA's headers are" ON)
set(cuda_wheels ${PROJECT_SOURCE_DIR}/build/cuda)
file(GLOB cuda_wheel_includes ${cuda_wheels}/lib/python*/site-packages/nvidia/*/include)
find_path(CUDA_INCLUDE cuda.h PATHS /usr/local/cuda/include ${cuda_wheel_includes})
find_path(NVRTC_INCLUDE nvrtc.h PATHS /usr/local/cuda/include ${cuda_wheel_includes})
file(GLOB cuda_wheel_nvrtc ${cuda_wheels}/lib/python*/site-packages/nvidia/*/lib/libnvrtc.so.*)
if(NOT TENREC_CUDA)
  message(STATUS "Target cuda is switched off")
elseif(CUDA_INCLUDE AND NVRTC_INCLUDE)
  message(STATUS "CUDA headers: ${CUDA_INCLUDE}; target cuda is built")
else()
  set(TENREC_CUDA OFF)
  message(STATUS "No CUDA headers (cuda.h, nvrtc.h): target cuda is left out; "
                 "scripts/install_deps.sh --cuda brings them")
endif()
