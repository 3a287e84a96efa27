// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/error.h"
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

Sizes sizes_of(const Node& node) {
  const auto dims = [](const Value* value) {
    return value && value->type.is_static() ? static_dims(value->type.shape) : Dims{};
  };
  Sizes sizes;
  for (const Value* input : node.inputs()) sizes.inputs.push_back(dims(input));
  for (const Value* output : node.outputs()) sizes.outputs.push_back(dims(output));
  return sizes;
}

// With the first kernel of the target's own that takes the node.
StepDraft compile_first(const Node& node, const DeviceInfo& device) {
  for (const Kernel* kernel : find_target("cuda").kernels())
    if (kernel->name() != "generic" && !kernel->vendor() && kernel->check(node, device).empty())
      return kernel->compile(node, kernel->tactics(node, device, sizes_of(node)).front(), device);
  fail(ErrorCode::unsupported, "no kernel takes {}", node.describe());
}

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

// All of the target's passes, then each node with its first kernel.
std::unique_ptr<Variant> grown(const CudaCase& c, const DeviceInfo& device) {
  const Built built = build(c, false);
  find_target("cuda").prepare_graph(*built.bound.graph, device);
  auto variant = lowered(c, built, [&](const Node& node) { return compile_first(node, device); });
  variant->text = c.name;
  return variant;
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
        if (&node != built.node) return compile_first(node, device);
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
  if (c.grow) {
    list.push_back(grown(c, device));
    return list;
  }
  add_variants(c, device, false, list);
  bool has_sizes = false;
  for (size_t i = 0; i < c.inputs.size(); ++i)
    has_sizes |= c.inputs[i] && !c.constants.count(i) && c.inputs[i].rank() > 0;
  if (!has_sizes) return list;
  try {
    add_variants(c, device, true, list);
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
