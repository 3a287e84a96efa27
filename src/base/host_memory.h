// SPDX-License-Identifier: Apache-2.0
// Memory of the host for what tensors hold.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace tenrec {

struct FreeHostMemory {
  void operator()(std::byte* memory) const { std::free(memory); }
};
using HostMemory = std::unique_ptr<std::byte, FreeHostMemory>;

constexpr uint64_t host_alignment = 64;  // a cache line

// At least `bytes`, up to the next multiple of host_alignment, with any content; null if the system
// refuses. Large memory lies in huge pages where the system has them: a core knows the addresses of
// so few pages of 4 KiB that the maps of a picture are more than it can keep.
HostMemory allocate_host(uint64_t bytes);

}  // namespace tenrec
