// SPDX-License-Identifier: Apache-2.0
// What every function of the public interface that may allocate is wrapped in: of no memory, too,
// the caller hears by an Error.
#pragma once
#include <new>

namespace tenrec {

[[noreturn]] void throw_out_of_memory();  // takes no memory for it

template <class Body>
auto memory_guarded(Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    throw_out_of_memory();
  }
}

}  // namespace tenrec
