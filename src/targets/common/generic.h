// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "targets/target.h"

namespace tenrec {

// Every operator by its reference code, so that every model runs; on a target whose memory is not
// the host's (`on_host`) its steps lie between copies.
const Kernel& generic_kernel(bool on_host);

}  // namespace tenrec
