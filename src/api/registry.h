// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "api/report.h"

namespace tenrec::trt {

// The plugin creators of the process. They are kept; plugins in networks come with a later version.
nv::IPluginRegistry& process_registry();

}  // namespace tenrec::trt
