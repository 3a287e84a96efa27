// SPDX-License-Identifier: Apache-2.0
#include "build/work.h"

#include <algorithm>

#include "build/bind.h"
#include "ir/constant.h"
#include "ops/dims.h"
#include "ops/gather.h"
#include "ops/gather_elements.h"
#include "ops/slice.h"

namespace tenrec {
namespace {

using Binding = std::map<const Symbol*, int64_t>;

bool is_sized(const Value* value) {
  return value && value->type.kind == Type::Kind::tensor && value->type.ranked;
}

Types types_at(const Values& values, const Binding& opt) {
  Types types;
  for (const Value* value : values) {
    Type type;
    if (value) type = value->type;
    if (is_sized(value)) {
      const Dims dims = dims_at(value->type, opt);
      type.shape.assign(dims.begin(), dims.end());
    }
    types.push_back(std::move(type));
  }
  return types;
}

double elements_of(const Types& types) {
  double total = 0;
  for (const Type& type : types) {
    double count = type.ranked ? 1 : 0;
    for (const Dim& dim : type.shape) count *= static_cast<double>(dim.value());
    total += count;
  }
  return total;
}

double flops_of(const Node& node, const Binding& opt) {
  if (node.as<Constant>() || node.as<DimsValue>()) return 0;
  double flops = 0;
  if (node.op().info().body_is_region) {
    for (const auto& inner : node.body(0).nodes()) flops += flops_of(*inner, opt);
    return flops;
  }
  const Values outputs = node.outputs();
  if (!std::all_of(outputs.begin(), outputs.end(), is_sized)) return 0;
  const Types results = types_at(outputs, opt);
  const auto count = node.op().info().flops;
  if (!count) return elements_of(results);
  const Values inputs = node.inputs();
  const bool known = std::all_of(inputs.begin(), inputs.end(),
                                 [](const Value* input) { return !input || is_sized(input); });
  return known ? count(node.op().object(), types_at(inputs, opt), results) : 0;
}

double bytes_at(const Value* value, const Binding& opt) {
  if (!is_sized(value)) return 0;
  double bytes = bit_width(value->type.dtype) / 8.0;
  for (const int64_t dim : dims_at(value->type, opt)) bytes *= static_cast<double>(dim);
  return bytes;
}

}  // namespace

Dims dims_at(const Type& type, const Binding& opt) {
  Dims dims;
  for (const Dim& dim : type.shape) dims.push_back(std::max<int64_t>(opt_value(dim, opt), 0));
  return dims;
}

Work work_of(const Node& node, const Binding& opt) {
  Work work{.flops = flops_of(node, opt)};
  double written = 0;
  for (const Value* output : node.outputs()) written += bytes_at(output, opt);
  const bool looks_up =
      node.as<Gather>() || node.as<GatherElements>() || node.as<GatherND>() || node.as<Slice>();
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    const double bytes = bytes_at(node.input(i), opt);
    work.bytes += looks_up && i == 0 ? std::min(bytes, written) : bytes;
  }
  work.bytes += written;
  return work;
}

}  // namespace tenrec
