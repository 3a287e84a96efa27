// SPDX-License-Identifier: Apache-2.0
// The files of device/, which generated texts include; built into the library by CMake.
#pragma once
#include <string_view>
#include <vector>

namespace tenrec::cuda {

struct DeviceFile {
  const char* name;
  const char* text;
};
const std::vector<DeviceFile>& device_files();

}  // namespace tenrec::cuda
