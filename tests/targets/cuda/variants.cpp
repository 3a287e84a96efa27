// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "build/work.h"
#include "ops/evaluate.h"
#include "ops/fused.h"
#include "plan/memory.h"
#include "targets/cuda/cases.h"

namespace tenrec::test {
namespace {

struct Built {
  BoundGraph bound;
  Node* node = nullptr;
};

// The case as a graph of one node; `symbolic`: sizes above 1 of inputs are symbols.
Built build(const CudaCase& c, bool symbolic) {
  init_ops();
  Built built;
  built.bound.graph = std::make_unique<Graph>();
  Graph& graph = *built.bound.graph;
  Values values;
  std::map<int64_t, Dim> symbols;  // one a size, so that equal sizes stay equal
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (!c.inputs[i]) {
      values.push_back(nullptr);
      continue;
    }
    if (c.constants.count(i)) {
      values.push_back(graph.constant(nullptr, c.inputs[i]));
      continue;
    }
    Type type = Type::of_constant(c.inputs[i]);
    type.known = nullptr;
    for (Dim& dim : type.shape) {
      // Passes want to know channels.
      if (c.grow && &dim == &type.shape[1]) continue;
      if (!symbolic || dim.value() <= 1) continue;
      auto [found, fresh] = symbols.try_emplace(dim.value(), 0);
      if (fresh) {
        found->second = Dim::fresh(fmt::format("s{}", dim.value()), 2, 4 * dim.value());
        built.bound.opt[found->second.as_symbol().get()] = dim.value();
      }
      dim = found->second;
    }
    values.push_back(graph.add_input(fmt::format("in{}", i), std::move(type)));
  }
  if (c.grow) {
    graph.add_output(c.grow(graph, values));
    return built;
  }
  if (c.channels_last) {
    for (Value*& value : values)
      if (value && !value->constant() && value->type.rank() == 4)
        value = graph.insert(nullptr, Reformat{.channels_last = true}, {value})->output();
  }
  built.node = graph.insert(nullptr, c.op, values, {}, {c.name});
  if (!c.channels_last) {
    for (Value* output : built.node->outputs()) graph.add_output(output);
    return built;
  }
  built.node->output()->type.layout.channels_last = true;
  graph.add_output(graph.insert(nullptr, Reformat{}, {built.node->output()})->output());
  return built;
}

using Opt = std::map<const Symbol*, int64_t>;

Sizes sizes_of(const Node& node, const Opt& opt) {
  const auto dims = [&](const Value* value) {
    return value && value->type.ranked ? dims_at(value->type, opt) : Dims{};
  };
  Sizes sizes;
  for (const Value* input : node.inputs()) sizes.inputs.push_back(dims(input));
  for (const Value* output : node.outputs()) sizes.outputs.push_back(dims(output));
  return sizes;
}

// With the first kernel of the target's own that takes the node, and its tactic of that number.
class FirstKernel {
 public:
  FirstKernel(const DeviceInfo& device, const Opt& opt, size_t number = 0)
      : device_(device), opt_(opt), number_(number) {}

  StepDraft operator()(const Node& node) {
    for (const Kernel* kernel : find_target("cuda").kernels()) {
      if (kernel->name() == "generic" || kernel->vendor() || !kernel->check(node, device_).empty())
        continue;
      const auto tactics = kernel->tactics(node, device_, sizes_of(node, opt_));
      most = std::max(most, tactics.size());
      return kernel->compile(node, tactics[std::min(number_, tactics.size() - 1)], device_);
    }
    fail(ErrorCode::unsupported, "no kernel takes {}", node.describe());
  }

  size_t most = 0;  // tactics of any node so far

 private:
  const DeviceInfo& device_;
  const Opt& opt_;
  size_t number_;
};

std::unique_ptr<Variant> lowered(const CudaCase& c, const Built& built,
                                 const std::function<StepDraft(const Node&)>& select) {
  auto variant = std::make_unique<Variant>();
  variant->source = &c;
  variant->plan = lower(built.bound, select, variant->weights, variant->code);
  plan::plan_memory(variant->plan);
  for (size_t i = 0; i < c.inputs.size(); ++i)
    if (c.inputs[i] && !c.constants.count(i)) variant->inputs.emplace_back(c.inputs[i]);
  return variant;
}

// All of the target's passes, then each node with its first kernel, tactic by tactic.
void add_grown(const CudaCase& c, const DeviceInfo& device, bool symbolic,
               std::vector<std::unique_ptr<Variant>>& list) {
  for (size_t number = 0, most = 1; number < most; ++number) {
    const Built built = build(c, symbolic);
    find_target("cuda").prepare_graph(*built.bound.graph, device);
    FirstKernel first(device, built.bound.opt, number);
    auto variant = lowered(c, built, std::ref(first));
    most = first.most;
    variant->text = fmt::format("{}: tactics {}{}", c.name, number, symbolic ? ", symbolic" : "");
    list.push_back(std::move(variant));
  }
}

double tolerance_of(const CudaCase& c, DType dtype) {
  if (c.tolerance >= 0) return c.tolerance;
  const Accuracy& accuracy = c.op.info().accuracy;
  double unit = 0x1p-23;
  if (dtype == DType::f64) unit = 0x1p-52;
  if (dtype == DType::f16) unit = 0x1p-10;
  if (dtype == DType::bf16) unit = 0x1p-7;
  return accuracy.kind == Accuracy::Kind::exact ? 0 : unit * std::max(accuracy.ulps, 1.0) * 4;
}

void add_variants(const CudaCase& c, const DeviceInfo& device, bool symbolic,
                  std::vector<std::unique_ptr<Variant>>& list) {
  const Target& target = find_target("cuda");
  Sizes sizes;
  for (const Tensor& input : c.inputs) sizes.inputs.push_back(input ? input.dims() : Dims{});
  for (const Tensor& output : oracle(c)) sizes.outputs.push_back(output.dims());
  const Built first = build(c, symbolic);
  for (const Kernel* kernel : target.kernels()) {
    if (kernel->name() == "generic" || kernel->vendor()) continue;
    if (!kernel->check(*first.node, device).empty()) continue;
    for (const std::string& tactic : kernel->tactics(*first.node, device, sizes)) {
      const Built built = build(c, symbolic);
      auto variant = lowered(c, built, [&](const Node& node) {
        if (&node != built.node) return FirstKernel(device, built.bound.opt)(node);
        return kernel->compile(node, tactic, device);
      });
      variant->text =
          fmt::format("{}: {} {}{}", c.name, kernel->name(), tactic, symbolic ? ", symbolic" : "");
      list.push_back(std::move(variant));
    }
  }
}

}  // namespace

std::vector<std::unique_ptr<Variant>> variants(const CudaCase& c, const DeviceInfo& device) {
  std::vector<std::unique_ptr<Variant>> list;
  const auto add = c.grow ? add_grown : add_variants;
  add(c, device, false, list);
  bool has_sizes = false;
  for (size_t i = 0; i < c.inputs.size(); ++i)
    has_sizes |= c.inputs[i] && !c.constants.count(i) && c.inputs[i].rank() > 0;
  if (!has_sizes) return list;
  try {
    add(c, device, true, list);
  } catch (const Error& error) {
    // Some operators refuse sizes that are not numbers.
    if (error.code() != ErrorCode::invalid_model && error.code() != ErrorCode::unsupported) throw;
  }
  return list;
}

Tensors oracle(const CudaCase& c) {
  const Built built = build(c, false);
  Data inputs;
  for (size_t i = 0; i < c.inputs.size(); ++i)
    if (c.inputs[i] && !c.constants.count(i)) inputs.emplace_back(c.inputs[i]);
  Tensors outputs;
  for (const Datum& output : evaluate(*built.bound.graph, inputs)) outputs.push_back(output.tensor);
  return outputs;
}

std::string difference(const CudaCase& c, const Tensor& got, const Tensor& expected) {
  if (got.dtype() != expected.dtype() || got.dims() != expected.dims())
    return fmt::format("{}{}, expected {}{}", name(got.dtype()), to_string(got.dims()),
                       name(expected.dtype()), to_string(expected.dims()));
  const bool floats = is_float(expected.dtype());
  const std::vector<double> a = got.to_doubles(), b = expected.to_doubles();
  if (!floats && got.to_ints() == expected.to_ints()) return "";
  double largest = 0;
  for (const double value : b)
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  const double allowed = floats ? tolerance_of(c, expected.dtype()) * largest : 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const bool same =
        std::isnan(b[i]) ? std::isnan(a[i]) : a[i] == b[i] || std::abs(a[i] - b[i]) <= allowed;
    if (!same)
      return fmt::format("element {}: {}, expected {}, allowed {}", i, a[i], b[i], allowed);
  }
  return "";
}

DeviceInfo cuda_info(int capability) {
  return find_target("cuda").device_info(
      fmt::format("cuda sm_{}{}", capability, capability >= 90 ? "a" : ""), 0);
}

}  // namespace tenrec::test
