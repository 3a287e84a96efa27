// SPDX-License-Identifier: Apache-2.0
#include "runtime/respecialise.h"

#include <algorithm>
#include <cmath>

#include "build/build_graph.h"
#include "ir/op.h"
#include "runtime/engine_impl.h"

namespace tenrec {
namespace {

std::map<std::string, Tensor> weights_of(const plan::EngineFile& file) {
  std::map<std::string, Tensor> weights;
  for (const plan::Original& original : file.graph.originals) {
    if (original.weight == plan::none) {
      weights[original.name] = Tensor::of_strings(original.dims, original.strings);
      continue;
    }
    const auto index = static_cast<size_t>(original.weight);
    const plan::Weight& weight = file.weights[index];
    weights[original.name] =
        Tensor(weight.dtype, weight.dims, file.owner, file.weight(index).data());
  }
  return weights;
}

// Values that were left open have the bounds of their type, which no profile may name.
bool is_bounded(const InputRange& range) {
  constexpr double most = 0x1p62;
  const auto inside = [&](double value) { return std::abs(value) < most; };
  return std::ranges::all_of(range.value_min, inside) &&
         std::ranges::all_of(range.value_max, inside);
}

ProfileOptions profile_of(const std::vector<InputRange>& ranges) {
  ProfileOptions profile;
  for (const InputRange& range : ranges) {
    profile.dims[range.name] = {range.min, range.opt, range.max};
    if (!range.value_min.empty() && is_bounded(range))
      profile.values[range.name] = {range.value_min, range.value_opt, range.value_max};
  }
  return profile;
}

std::vector<std::byte> respecialise(const plan::EngineFile& file, const LoadOptions& load) {
  init_ops();
  const std::unique_ptr<Graph> graph = parse_graph(file.graph.text, weights_of(file));
  const auto has = [&](std::string_view option) {
    return file.meta.options.find(option) != std::string::npos;
  };
  // The graph has its precision already.
  BuildOptions options;
  options.target = file.meta.target;
  options.threads = load.threads;
  options.tf32 = has("tf32=true");
  options.no_vendor = has("vendor=false");
  options.no_tune = true;
  options.memory_limit = load.memory_limit;
  for (const plan::Plan& plan : file.plans)
    options.profiles.push_back(profile_of(describe_ranges(plan, file.io)));
  return *build_graph(*graph, file.meta.model_name, options).bytes;
}

[[maybe_unused]] const bool registered = [] {
  register_respecialiser(respecialise);
  return true;
}();

}  // namespace
}  // namespace tenrec
