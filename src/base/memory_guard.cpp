// SPDX-License-Identifier: Apache-2.0
#include "base/memory_guard.h"

#include "tenrec/error.h"

namespace tenrec {
namespace {

// Made while there was memory; a copy of it shares its text.
const Error no_memory(
    ErrorCode::out_of_memory,
    "an allocation failed: there is not enough memory; close other programs, take "
    "smaller sizes or a machine with more");

}  // namespace

void throw_out_of_memory() { throw no_memory; }

}  // namespace tenrec
