// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/loops.h"

#include "base/dtype.h"
#include "base/error.h"
#include "targets/cuda/emit.h"

namespace tenrec::cuda {

void Loops::collapse() {
  Shape kept;
  std::vector<Walk> walked(walks.size());
  for (size_t k = 0; k < walks.size(); ++k) walked[k].offset = walks[k].offset;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == Dim(1)) continue;
    bool even = !kept.empty();
    for (size_t k = 0; k < walks.size() && even; ++k)
      even = walked[k].strides.back() == walks[k].strides[i] * sizes[i];
    if (even) {
      kept.back() = kept.back() * sizes[i];
      for (size_t k = 0; k < walks.size(); ++k) walked[k].strides.back() = walks[k].strides[i];
      continue;
    }
    kept.push_back(sizes[i]);
    for (size_t k = 0; k < walks.size(); ++k) walked[k].strides.push_back(walks[k].strides[i]);
  }
  if (kept.empty()) {
    kept.emplace_back(1);
    for (Walk& walk : walked) walk.strides.emplace_back(1);
  }
  sizes = std::move(kept);
  walks = std::move(walked);
}

std::vector<size_t> memory_order(const Type& type) {
  const size_t rank = type.shape.size();
  std::vector<size_t> order;
  if (!type.layout.channels_last || rank < 3) {
    for (size_t i = 0; i < rank; ++i) order.push_back(i);
    return order;
  }
  order.push_back(0);
  for (size_t i = 2; i < rank; ++i) order.push_back(i);
  order.push_back(1);
  return order;
}

Shape memory_strides(const Type& type) {
  Shape strides(type.shape.size(), Dim(0));
  Dim stride = 1;
  const std::vector<size_t> order = memory_order(type);
  for (size_t i = order.size(); i-- > 0;) {
    strides[order[i]] = stride;
    stride = stride * type.shape[order[i]];
  }
  return strides;
}

Shape broadcast_strides(const Type& type, const Shape& out) {
  const size_t rank = type.shape.size();
  TENREC_ASSERT(rank <= out.size());
  const size_t shift = out.size() - rank;
  const Shape own = memory_strides(type);
  Shape strides(out.size(), Dim(0));
  for (size_t i = 0; i < rank; ++i) {
    const Dim& size = type.shape[i];
    if (size == Dim(1)) continue;
    const bool full = size == out[i + shift] || size.lower() >= 2;
    strides[i + shift] = full ? own[i] : own[i] * min(size - Dim(1), Dim(1));
  }
  return strides;
}

Loops broadcast_loops(const Type& out, const std::vector<Type>& inputs) {
  Loops loops;
  const std::vector<size_t> order = memory_order(out);
  const auto ordered = [&](const Shape& strides) {
    Shape result;
    for (const size_t axis : order) result.push_back(strides[axis]);
    return result;
  };
  loops.sizes = ordered(out.shape);
  loops.walks.push_back({ordered(memory_strides(out)), Dim(0)});
  for (const Type& input : inputs)
    loops.walks.push_back({ordered(broadcast_strides(input, out.shape)), Dim(0)});
  return loops;
}

Lines lines_of(const Type& type, int64_t axis) {
  const auto at =
      type.shape.begin() + static_cast<std::ptrdiff_t>(normalise_axis(axis, type.rank()));
  return {product(Shape(type.shape.begin(), at)), *at, product(Shape(at + 1, type.shape.end()))};
}

bool is_multiple(const Dim& dim, int64_t of) {
  if (const auto value = dim.constant()) return *value % of == 0;
  return mod(dim, Dim(of)).constant() == 0;
}

bool has_strides(const Type& type) {
  return type.kind == Type::Kind::tensor && type.ranked && type.layout.block_axis < 0;
}

std::string plain_problem(const Type& type) {
  return has_strides(type) && type.layout.is_plain() ? "" : "the rank is not known, or a layout";
}

std::string elements_problem(const Type& type) {
  std::string problem = plain_problem(type);
  if (problem.empty() && !is_supported(type.dtype))
    problem = fmt::format("{} elements", name(type.dtype));
  return problem;
}

std::string elements_problem(const Values& values) {
  for (const Value* value : values) {
    std::string problem = value ? elements_problem(value->type) : "";
    if (!problem.empty()) return problem;
  }
  return "";
}

Dim memory_elements(const Type& type) { return product(type.shape); }

}  // namespace tenrec::cuda
