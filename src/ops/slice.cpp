// SPDX-License-Identifier: Apache-2.0
#include "ops/slice.h"

#include <limits>

#include "ops/movement.h"
#include "ops/onnx_context.h"

namespace tenrec {
namespace {

// Exporters write "to the end" as the largest integer of either width; no axis is that long.
constexpr int64_t beyond_any_size = std::numeric_limits<int32_t>::max();

bool is_huge(const Dim& bound) { return bound.is_const() && bound.value() >= beyond_any_size; }
bool is_hugely_negative(const Dim& bound) {
  return bound.is_const() && bound.value() <= -beyond_any_size;
}

// `bound` counted from the front, not yet clamped; null if it may be of either sign.
std::optional<Dim> from_front(const Dim& bound, const Dim& size) {
  if (bound.lower() >= 0) return bound;
  if (bound.upper() < 0) return size + bound;
  return std::nullopt;
}

// [first, last) of a forward slice.
std::optional<std::pair<Dim, Dim>> forward_bounds(const Dim& size, const Dim& start,
                                                  const Dim& end) {
  const auto clamp = [&](const Dim& bound) -> std::optional<Dim> {
    if (is_huge(bound)) return size;
    if (is_hugely_negative(bound)) return Dim(0);
    const std::optional<Dim> front = from_front(bound, size);
    if (!front) return std::nullopt;
    return bound.lower() >= 0 ? tight_min(*front, size) : tight_max(*front, Dim(0));
  };
  const std::optional<Dim> first = clamp(start);
  const std::optional<Dim> last = clamp(end);
  if (!first || !last) return std::nullopt;
  return std::pair{*first, *last};
}

// [first, last) of a backward slice: last is before first and may be -1. Of no elements at all
// `top` is -1, and so is first.
std::optional<std::pair<Dim, Dim>> backward_bounds(const Dim& size, const Dim& start,
                                                   const Dim& end) {
  const Dim top = size - 1;
  const auto clamp = [&](const Dim& bound, int64_t least) -> std::optional<Dim> {
    if (is_huge(bound)) return top;
    if (is_hugely_negative(bound)) return tight_min(Dim(least), top);
    const std::optional<Dim> front = from_front(bound, size);
    if (!front) return std::nullopt;
    return *front == top ? top : tight_min(tight_max(*front, Dim(least)), top);
  };
  const std::optional<Dim> first = clamp(start, 0);
  const std::optional<Dim> last = clamp(end, -1);
  if (!first || !last) return std::nullopt;
  return std::pair{*first, *last};
}

// The bounds of one call, by axis; an axis that is not sliced has no entry.
struct Bounds {
  Dim start;
  Dim end;
  int64_t step = 1;
};

std::vector<std::optional<Bounds>> bounds_by_axis(
    size_t rank, const std::vector<Dim>& starts, const std::vector<Dim>& ends,
    const std::optional<std::vector<int64_t>>& axes,
    const std::optional<std::vector<int64_t>>& steps) {
  TENREC_CHECK(starts.size() == ends.size() && (!axes || axes->size() == starts.size()) &&
                   (!steps || steps->size() == starts.size()) && starts.size() <= rank,
               invalid_model, "Slice of {} axes with {} starts, {} ends, {} axes and {} steps",
               rank, starts.size(), ends.size(), axes ? axes->size() : starts.size(),
               steps ? steps->size() : starts.size());
  std::vector<std::optional<Bounds>> by_axis(rank);
  for (size_t i = 0; i < starts.size(); ++i) {
    const int64_t step = steps ? (*steps)[i] : 1;
    TENREC_CHECK(step != 0, invalid_model, "a Slice step of 0");
    const int64_t axis =
        normalise_axis(axes ? (*axes)[i] : static_cast<int64_t>(i), static_cast<int64_t>(rank));
    by_axis[static_cast<size_t>(axis)] = Bounds{starts[i], ends[i], step};
  }
  return by_axis;
}

IndexMap slice_map(const Dims& dims, const std::vector<std::optional<Bounds>>& bounds) {
  const Dims strides = row_major_strides(dims);
  AxisOffsets offsets = identity_offsets(dims);
  for (size_t i = 0; i < dims.size(); ++i) {
    if (!bounds[i]) continue;
    const auto range = slice_range(dims[i], bounds[i]->start, bounds[i]->end, bounds[i]->step);
    offsets[i] = even_offsets(range->count.value(), bounds[i]->step * strides[i],
                              range->first.value() * strides[i]);
  }
  return index_map(offsets);
}

// Sizes that only running tells: nothing grows in a slice.
Type unknown_slice(const Type& x, const std::optional<std::vector<int64_t>>& axes) {
  if (!x.ranked) return Type::unranked(x.dtype);
  Shape shape = x.shape;
  std::vector<bool> sliced(shape.size(), !axes);
  if (axes) {
    for (const int64_t axis : *axes)
      sliced[static_cast<size_t>(normalise_axis(axis, x.rank()))] = true;
  }
  for (size_t i = 0; i < shape.size(); ++i) {
    if (sliced[i]) shape[i] = Dim::fresh(fmt::format("slice{}", i), 0, shape[i].upper());
  }
  return Type::tensor(x.dtype, std::move(shape));
}

}  // namespace

std::optional<SliceRange> slice_range(const Dim& size, const Dim& start, const Dim& end,
                                      int64_t step) {
  const auto bounds =
      step > 0 ? forward_bounds(size, start, end) : backward_bounds(size, start, end);
  if (!bounds) return std::nullopt;
  const auto& [first, last] = *bounds;
  // size - max(size - k, 0) is min(k, size): how "the last k" reads where size may be below k.
  if (step == 1 && last == size && start.upper() < 0 && !is_hugely_negative(start)) {
    return SliceRange{first, tight_min(Dim(0) - start, size)};
  }
  const Dim span = step > 0 ? last - first : first - last;
  const int64_t stride =
      step > 0 ? step
               : (step == std::numeric_limits<int64_t>::min() ? std::numeric_limits<int64_t>::max()
                                                              : -step);
  const Dim count = stride == 1 ? span : ceildiv(tight_max(span, Dim(0)), stride);
  return SliceRange{first, tight_max(count, Dim(0))};
}

Types Slice::infer(const Types& in) const {
  check_input_count(in, 3, 5, "Slice");
  const Type& x = tensor_input(in, 0, "Slice");
  const std::vector<Dim>* starts = integer_input(in, 1, "Slice").known_ints();
  const std::vector<Dim>* ends = integer_input(in, 2, "Slice").known_ints();
  std::optional<std::vector<int64_t>> axes;
  std::optional<std::vector<int64_t>> steps;
  if (has_input(in, 3)) axes = integer_input(in, 3, "Slice").constant_ints();
  if (has_input(in, 4)) steps = integer_input(in, 4, "Slice").constant_ints();
  if (has_input(in, 3) && !axes) return {unknown_slice(x, std::nullopt)};
  if (!axes && constant_length(in[1])) axes = even_offsets(*constant_length(in[1]), 1);
  if (!starts || !ends || !x.ranked || (has_input(in, 4) && !steps))
    return {unknown_slice(x, axes)};

  const auto bounds = bounds_by_axis(x.shape.size(), *starts, *ends, axes, steps);
  Shape shape = x.shape;
  bool constant = true;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!bounds[i]) continue;
    const auto range = slice_range(shape[i], bounds[i]->start, bounds[i]->end, bounds[i]->step);
    constant &= range && range->first.is_const() && range->count.is_const();
    shape[i] = range ? range->count : Dim::fresh(fmt::format("slice{}", i), 0, shape[i].upper());
  }
  Type out = Type::tensor(x.dtype, std::move(shape));
  if (!constant || !movable_known(x, out.shape)) return {out};
  return {with_moved_known(out, x, slice_map(static_dims(x.shape), bounds))};
}

Tensors Slice::eval(const Tensors& in) const {
  const auto integers = [&](size_t i) -> std::optional<std::vector<int64_t>> {
    return has_input(in, i) ? std::optional(in[i].to_ints()) : std::nullopt;
  };
  const std::vector<int64_t> starts = in[1].to_ints();
  const std::vector<int64_t> ends = in[2].to_ints();
  const auto bounds = bounds_by_axis(in[0].dims().size(), {starts.begin(), starts.end()},
                                     {ends.begin(), ends.end()}, integers(3), integers(4));
  return {moved(in[0], slice_map(in[0].dims(), bounds))};
}

Values Slice::from_onnx(const OnnxNode& node, OnnxContext& context) {
  if (node.opset() >= 10) return context.add(Slice{}, context.inputs());
  const auto constant = [&](const std::vector<int64_t>& values) {
    return context.constant(Tensor::of({static_cast<int64_t>(values.size())}, values));
  };
  Values inputs{context.input(0), constant(node.integers("starts")),
                constant(node.integers("ends"))};
  if (const auto axes = node.maybe_integers("axes")) inputs.push_back(constant(*axes));
  return context.add(Slice{}, std::move(inputs));
}

}  // namespace tenrec
