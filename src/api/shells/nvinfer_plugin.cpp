// SPDX-License-Identifier: Apache-2.0
// libnvinfer_plugin.so.10: there are no standard plugins to register; what they do, operators of
// the core do.
#include <NvInferPlugin.h>

extern "C" __attribute__((visibility("default"))) bool initLibNvInferPlugins(void*,
                                                                             const char*) noexcept {
  return true;
}
