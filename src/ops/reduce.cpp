// SPDX-License-Identifier: Apache-2.0
#include "ops/reduce.h"

#include <cmath>
#include <limits>

#include "ops/support.h"

namespace tenrec {
namespace {

// Offsets of the positions along the axes where `chosen` equals `which`, row-major.
std::vector<size_t> offsets(const Dims& dims, const Reduce::ByAxis& chosen, bool which) {
  const Dims strides = row_major_strides(dims);
  std::vector<size_t> result{0};
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    if ((chosen[axis] != 0) != which) continue;
    std::vector<size_t> longer;
    longer.reserve(result.size() * static_cast<size_t>(dims[axis]));
    for (const size_t base : result) {
      for (int64_t i = 0; i < dims[axis]; ++i) {
        longer.push_back(base + static_cast<size_t>(i * strides[axis]));
      }
    }
    result = std::move(longer);
  }
  return result;
}

double reduce_doubles(ReduceKind kind, const double* x, const std::vector<size_t>& at) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double result = 0;
  switch (kind) {
    case ReduceKind::sum:
    case ReduceKind::mean:
    case ReduceKind::log_sum:
      for (const size_t i : at) result += x[i];
      if (kind == ReduceKind::mean) return result / static_cast<double>(at.size());
      return kind == ReduceKind::log_sum ? std::log(result) : result;
    case ReduceKind::max:
      result = -infinity;
      for (const size_t i : at) result = x[i] > result || std::isnan(x[i]) ? x[i] : result;
      return result;
    case ReduceKind::min:
      result = infinity;
      for (const size_t i : at) result = x[i] < result || std::isnan(x[i]) ? x[i] : result;
      return result;
    case ReduceKind::prod:
      result = 1;
      for (const size_t i : at) result *= x[i];
      return result;
    case ReduceKind::l1:
      for (const size_t i : at) result += std::abs(x[i]);
      return result;
    case ReduceKind::l2:
    case ReduceKind::sum_square:
      for (const size_t i : at) result += x[i] * x[i];
      return kind == ReduceKind::l2 ? std::sqrt(result) : result;
    case ReduceKind::log_sum_exp: {
      const double top = reduce_doubles(ReduceKind::max, x, at);
      if (!std::isfinite(top)) return top;
      for (const size_t i : at) result += std::exp(x[i] - top);
      return top + std::log(result);
    }
  }
  return result;
}

uint64_t magnitude(int64_t value) {
  return value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

// Sums and products wrap like the type; `ordered` compares as the type does.
int64_t reduce_ints(ReduceKind kind, const int64_t* x, const std::vector<size_t>& at,
                    bool is_unsigned, int64_t lowest, int64_t highest) {
  const auto less = [&](int64_t a, int64_t b) {
    return is_unsigned ? static_cast<uint64_t>(a) < static_cast<uint64_t>(b) : a < b;
  };
  uint64_t sum = 0;
  int64_t best = kind == ReduceKind::max ? lowest : highest;
  switch (kind) {
    case ReduceKind::max:
      for (const size_t i : at) best = less(best, x[i]) ? x[i] : best;
      return best;
    case ReduceKind::min:
      for (const size_t i : at) best = less(x[i], best) ? x[i] : best;
      return best;
    case ReduceKind::prod:
      sum = 1;
      for (const size_t i : at) sum *= static_cast<uint64_t>(x[i]);
      break;
    case ReduceKind::l1:
      for (const size_t i : at) sum += is_unsigned ? static_cast<uint64_t>(x[i]) : magnitude(x[i]);
      break;
    case ReduceKind::sum_square:
      for (const size_t i : at) sum += static_cast<uint64_t>(x[i]) * static_cast<uint64_t>(x[i]);
      break;
    default:
      for (const size_t i : at) sum += static_cast<uint64_t>(x[i]);
      break;
  }
  const auto total = static_cast<int64_t>(sum);
  if (kind != ReduceKind::mean) return total;
  TENREC_CHECK(!at.empty(), invalid_input, "the mean of no integers is not defined");
  const auto count = static_cast<int64_t>(at.size());
  return is_unsigned ? static_cast<int64_t>(sum / static_cast<uint64_t>(count)) : total / count;
}

bool integer_kind(ReduceKind kind) {
  return kind != ReduceKind::l2 && kind != ReduceKind::log_sum && kind != ReduceKind::log_sum_exp;
}

std::optional<Dim> reduce_dims(ReduceKind kind, const std::vector<Dim>& x,
                               const std::vector<size_t>& at) {
  // The other kinds change even a single element.
  const bool plain = kind == ReduceKind::sum || kind == ReduceKind::prod ||
                     kind == ReduceKind::max || kind == ReduceKind::min;
  if (at.empty() || !plain) return std::nullopt;
  Dim result = x[at[0]];
  for (size_t i = 1; i < at.size(); ++i) {
    const Dim& next = x[at[i]];
    switch (kind) {
      case ReduceKind::sum: result = result + next; break;
      case ReduceKind::prod: result = result * next; break;
      case ReduceKind::max: result = max(result, next); break;
      case ReduceKind::min: result = min(result, next); break;
      default: return std::nullopt;
    }
  }
  return result;
}

}  // namespace

Reduce::ByAxis Reduce::reduced_axes(int64_t rank, std::span<const int64_t> axes) const {
  ByAxis reduced(static_cast<size_t>(rank), axes.empty() && !noop_with_empty_axes ? 1 : 0);
  for (const int64_t axis : axes) reduced[static_cast<size_t>(normalise_axis(axis, rank))] = 1;
  return reduced;
}

Types Reduce::infer(const Types& in) const {
  const Type& x = required(in, 0, "the input");
  std::optional<std::vector<int64_t>> axes;
  if (present(in, 1)) {
    axes = in[1].constant_ints();
    if (!axes && in[1].ranked && in[1].shape == Shape{Dim(0)}) axes.emplace();
  }
  if (!x.ranked) return {Type::unranked(x.dtype)};
  if (present(in, 1) && !axes) {
    // Which axes is known only at run time; every kept size is one of the input's or 1.
    Shape shape;
    const bool counted = in[1].ranked && in[1].rank() == 1 && in[1].shape[0].is_const();
    if (!keepdims && !counted) return {Type::unranked(x.dtype)};
    int64_t highest = 1;
    for (const Dim& dim : x.shape) highest = std::max(highest, dim.upper());
    const int64_t rank = keepdims ? x.rank() : x.rank() - in[1].shape[0].value();
    for (int64_t i = 0; i < rank; ++i) {
      const int64_t upper =
          keepdims ? std::max<int64_t>(x.shape[static_cast<size_t>(i)].upper(), 1) : highest;
      shape.push_back(Dim::fresh("reduced", 0, upper));
    }
    return {Type::tensor(x.dtype, std::move(shape))};
  }
  const ByAxis reduced = reduced_axes(x.rank(), axes.value_or(Dims{}));
  Shape shape;
  for (size_t i = 0; i < reduced.size(); ++i) {
    if (!reduced[i]) shape.push_back(x.shape[i]);
    else if (keepdims) shape.push_back(1);
  }
  Type out = Type::tensor(x.dtype, std::move(shape));
  const std::vector<Dim>* known = x.known_ints();
  if (!known || !x.is_static()) return {out};
  const Dims dims = static_dims(x.shape);
  const std::vector<size_t> within = offsets(dims, reduced, true);
  std::vector<Dim> values;
  for (const size_t base : offsets(dims, reduced, false)) {
    std::vector<size_t> at = within;
    for (size_t& i : at) i += base;
    const std::optional<Dim> value = reduce_dims(kind, *known, at);
    if (!value) return {out};
    values.push_back(*value);
  }
  return {out.with_known_ints(std::move(values))};
}

Tensors Reduce::eval(const Tensors& in) const {
  const DType dtype = in[0].dtype();
  const Dims& dims = in[0].dims();
  const std::vector<int64_t> axes = present(in, 1) ? in[1].to_ints() : std::vector<int64_t>{};
  const ByAxis reduced = reduced_axes(in[0].rank(), axes);
  Dims out;
  for (size_t i = 0; i < reduced.size(); ++i) {
    if (!reduced[i]) out.push_back(dims[i]);
    else if (keepdims) out.push_back(1);
  }
  const std::vector<size_t> within = offsets(dims, reduced, true);
  const std::vector<size_t> bases = offsets(dims, reduced, false);
  if (is_float(dtype) || !integer_kind(kind)) {
    const std::vector<double> x = in[0].to_doubles();
    std::vector<double> y;
    y.reserve(bases.size());
    for (const size_t base : bases) y.push_back(reduce_doubles(kind, x.data() + base, within));
    return {Tensor::from_doubles(dtype, out, y)};
  }
  const bool is_unsigned = !is_signed(dtype);
  const int bits = dtype == DType::boolean ? 1 : bit_width(dtype);
  const int64_t highest =
      is_unsigned ? static_cast<int64_t>(bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1)
                  : static_cast<int64_t>((uint64_t{1} << (bits - 1)) - 1);
  const int64_t lowest = is_unsigned ? 0 : -highest - 1;
  const std::vector<int64_t> x = in[0].to_ints();
  std::vector<int64_t> y;
  y.reserve(bases.size());
  for (const size_t base : bases) {
    y.push_back(reduce_ints(kind, x.data() + base, within, is_unsigned, lowest, highest));
  }
  return {Tensor::from_ints(dtype, out, y)};
}

Value* add_reduce(OnnxContext& context, ReduceKind kind, Value* value, std::vector<int64_t> axes,
                  bool keepdims) {
  const auto count = static_cast<int64_t>(axes.size());
  Value* given = context.constant(Tensor::of<int64_t>({count}, axes));
  return context.one(Reduce{.kind = kind, .keepdims = keepdims, .noop_with_empty_axes = true},
                     {value, given});
}

Values reduce_from_onnx(ReduceKind kind, const OnnxNode& node, OnnxContext& context) {
  Reduce op{.kind = kind,
            .keepdims = node.integer("keepdims", 1) != 0,
            .noop_with_empty_axes = node.integer("noop_with_empty_axes", 0) != 0};
  Values inputs{context.input(0)};
  if (const auto axes = node.maybe_integers("axes")) {
    inputs.push_back(
        context.constant(Tensor::of<int64_t>({static_cast<int64_t>(axes->size())}, *axes)));
  } else if (context.input(1)) {
    inputs.push_back(context.input(1));
  }
  return context.add(op, inputs);
}

}  // namespace tenrec
