// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/kernels/group_text.h"

#include <charconv>

#include "base/error.h"

namespace tenrec::cuda {

int group_of(const std::string& tactic) {
  for (const int group : {256, 32, 1})
    if (tactic == fmt::format("group={}", group)) return group;
  fail(ErrorCode::usage, "\"{}\" is no tactic here; there are group=256, group=32 and group=1",
       tactic);
}

std::vector<std::string> group_tactics(int best) {
  std::vector<std::string> tactics{fmt::format("group={}", best)};
  for (const int group : {256, 32, 1})
    if (group != best) tactics.push_back(fmt::format("group={}", group));
  return tactics;
}

int64_t number_in(std::string_view tactic, std::string_view prefix) {
  if (!tactic.starts_with(prefix)) return 0;
  const std::string_view text = tactic.substr(prefix.size());
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

std::string begin_group(KernelText& kernel, int group, const Dim& rows) {
  kernel.functions = "#include \"group.cuh\"\n" + kernel.functions;
  return fmt::format(
      "  constexpr int G = {};\n"
      "  const idx row = (idx)blockIdx.x * {} + threadIdx.x / G;\n"
      "  const int lane = threadIdx.x % G;\n"
      "  if (row >= {}) return;\n",
      group, block_threads / group, kernel.dim(rows));
}

void launch_groups(StepWriter& step, const KernelText& kernel, int group, const Dim& rows) {
  step.launch(kernel, ceildiv(rows, Dim(block_threads / group)), block_threads);
}

}  // namespace tenrec::cuda
