// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/kernels/hits_text.h"

namespace tenrec::cuda {

void Hits::reserve_totals(StepWriter& step) { step.add_scratch(Dim(256)); }
std::string Hits::totals(KernelText& kernel) { return kernel.scratch(Dim(0), "long long"); }

Hits::Hits(StepWriter& step, std::string name, Dim count,
           std::function<std::string(KernelText&)> hit, int total)
    : step_(step),
      name_(std::move(name)),
      count_(std::move(count)),
      blocks_(max(ceildiv(count_, Dim(block_threads)), Dim(1))),
      counts_(step.add_scratch(blocks_ * 8)),
      hit_(std::move(hit)),
      total_(total) {}

std::string Hits::find(KernelText& kernel) const {
  return fmt::format(
             "  const idx i = (idx)blockIdx.x * {} + threadIdx.x;\n  const bool inside = i < {};\n",
             block_threads, kernel.dim(count_)) +
         hit_(kernel);
}

void Hits::count() {
  KernelText counting(step_, name_ + "_count");
  counting.reach_all();
  counting.body = find(counting);
  counting.body += fmt::format(
      "  const int found = __syncthreads_count(hit);\n"
      "  if (threadIdx.x == 0) {}[blockIdx.x] = found;\n",
      counting.scratch(counts_, "long long"));
  launch(counting);

  KernelText adding(step_, name_ + "_offsets");
  adding.reach_all();
  adding.functions = "#include \"order.cuh\"\n";
  adding.body =
      fmt::format("  offsets_of_counts({}, {}, {} + {});\n", adding.scratch(counts_, "long long"),
                  adding.dim(blocks_), totals(adding), total_);
  step_.launch(adding, Dim(1), block_threads);
}

std::string Hits::number(KernelText& kernel) const {
  std::string text = find(kernel);
  if (kernel.functions.find("order.cuh") == kernel.functions.npos)
    kernel.functions += "#include \"order.cuh\"\n";
  return text + fmt::format("  const idx at = {}[blockIdx.x] + place_in_block(hit);\n",
                            kernel.scratch(counts_, "long long"));
}

void Hits::launch(const KernelText& kernel) const { step_.launch(kernel, blocks_, block_threads); }

}  // namespace tenrec::cuda
