// SPDX-License-Identifier: Apache-2.0
#include "base/host_memory.h"

#include <sys/mman.h>

#include <algorithm>

namespace tenrec {

HostMemory allocate_host(uint64_t bytes) {
  constexpr uint64_t most = uint64_t{1} << 60;
  constexpr uint64_t huge_page = uint64_t{2} << 20, least_large = 2 * huge_page;
  if (bytes > most) return nullptr;
  const uint64_t size =
      std::max<uint64_t>((bytes + host_alignment - 1) / host_alignment, 1) * host_alignment;
  const bool large = size >= least_large;
  void* data = nullptr;
  // Not aligned_alloc, which wants whole multiples of the alignment.
  if (::posix_memalign(&data, large ? huge_page : host_alignment, size) != 0) return nullptr;
  HostMemory memory(static_cast<std::byte*>(data));
  // Only advice: where it is not taken, pages are small. The rest of a page stays small, too, so
  // that no memory is taken that was not asked for.
  if (large) (void)::madvise(memory.get(), size / huge_page * huge_page, MADV_HUGEPAGE);
  return memory;
}

}  // namespace tenrec
