// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/kernels/block_parts.h"

namespace tenrec::cuda {

std::optional<size_t> transposed_loop(const Loops& loops, const Walk& to, const Walk& from) {
  const size_t last = loops.sizes.size() - 1;
  if (last == 0 || !(to.strides[last] == Dim(1)) || from.strides[last] == Dim(1) ||
      from.strides[last] == Dim(0))
    return std::nullopt;
  for (size_t i = 0; i < last; ++i)
    if (from.strides[i] == Dim(1) && loops.sizes[i].upper() >= 8) return i;
  return std::nullopt;
}

BlockPart transpose_part(const Loops& loops, size_t along, const std::string& type,
                         const std::function<std::string(const std::string& offset)>& load,
                         const std::string& target, KernelText& kernel) {
  const size_t last = loops.sizes.size() - 1;
  const Dim tiles_c = ceildiv(loops.sizes[last], Dim(32)),
            tiles_r = ceildiv(loops.sizes[along], Dim(32));
  std::vector<std::string> variables = numbered("i", loops.sizes.size());
  Shape outer_sizes;
  std::vector<std::string> outer;
  for (size_t i = 0; i < last; ++i) {
    if (i == along) continue;
    outer_sizes.push_back(loops.sizes[i]);
    outer.push_back(variables[i]);
  }
  variables[along] = "r";
  variables[last] = "c";
  std::string text = fmt::format(
      "  const idx tile_c = block % {0}, rest = block / {0};\n"
      "  const idx tile_r = rest % {1}, outer = rest / {1};\n",
      kernel.dim(tiles_c), kernel.dim(tiles_r));
  if (!outer.empty()) text += kernel.unflatten("outer", outer_sizes, outer);
  text += fmt::format(
      "  transpose_tile<{0}>({1}, {2}, tile_r, tile_c,\n"
      "      [&](idx r, idx c) {{ {3} }},\n"
      "      [&](idx r, idx c, {0} x) {{ {4}[{5}] = x; }});\n",
      type, kernel.dim(loops.sizes[along]), kernel.dim(loops.sizes[last]),
      load(kernel.offset(loops.walks[1], variables)), target,
      kernel.offset(loops.walks[0], variables));
  return {text, product(outer_sizes) * tiles_c * tiles_r};
}

void launch_in_turn(const std::vector<BlockPart>& parts, KernelText& kernel, StepWriter& step) {
  kernel.functions = "#include \"transpose.cuh\"\n" + kernel.functions;
  kernel.body = "  idx block = blockIdx.x;\n";
  Dim blocks = 0;
  for (size_t k = 0; k < parts.size(); ++k) {
    blocks = blocks + parts[k].blocks;
    if (k + 1 == parts.size()) {
      kernel.body += parts[k].text;
      continue;
    }
    kernel.body += fmt::format("  if (block < {0}) {{\n{1}  return;\n  }}\n  block -= {0};\n",
                               kernel.dim(parts[k].blocks), parts[k].text);
  }
  step.launch(kernel, blocks, block_threads);
}

}  // namespace tenrec::cuda
