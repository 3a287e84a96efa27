// SPDX-License-Identifier: Apache-2.0
// The standard plugins.
#pragma once
#include "NvInfer.h"
#include "NvInferPluginUtils.h"

// Registers the standard plugins under namespace `libNamespace`.
extern "C" TENSORRTAPI bool initLibNvInferPlugins(void* logger, const char* libNamespace) noexcept;
