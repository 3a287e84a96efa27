// SPDX-License-Identifier: Apache-2.0
#include "ops/unique.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ops/movement.h"

namespace tenrec {
namespace {

// NaNs, which compare with nothing, come last and are one value.
template <class T>
bool is_before(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>) return a < b || (std::isnan(b) && !std::isnan(a));
  else return a < b;
}

// Comparison of entries by their elements' rank in the tensor, so that one order serves
// every element type.
std::vector<int64_t> ranks(const Tensor& x) {
  std::vector<int64_t> order = even_offsets(static_cast<int64_t>(x.elements()), 1);
  std::vector<int64_t> rank(order.size());
  const auto assign = [&](const auto& values) {
    const auto value = [&](int64_t i) -> const auto& { return values[static_cast<size_t>(i)]; };
    const auto before = [&](int64_t i, int64_t k) { return is_before(value(i), value(k)); };
    std::stable_sort(order.begin(), order.end(), before);
    int64_t next = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      if (i > 0 && before(order[i - 1], order[i])) ++next;
      rank[static_cast<size_t>(order[i])] = next;
    }
  };
  if (x.dtype() == DType::string) assign(x.strings());
  else if (is_float(x.dtype())) assign(x.to_doubles());
  else if (x.dtype() == DType::u64)
    assign(std::vector<uint64_t>(x.as<uint64_t>().begin(), x.as<uint64_t>().end()));
  else assign(x.to_ints());
  return rank;
}

struct Groups {
  std::vector<int64_t> first;    // entry that stands for each group
  std::vector<int64_t> inverse;  // group of each entry
  std::vector<int64_t> counts;
};

Groups group(const std::vector<std::vector<int64_t>>& keys, bool sorted) {
  std::vector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return keys[a] < keys[b]; });
  Groups groups;
  groups.inverse.resize(keys.size());
  for (size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || keys[order[i - 1]] != keys[order[i]]) {
      groups.first.push_back(static_cast<int64_t>(order[i]));
      groups.counts.push_back(0);
    }
    groups.inverse[order[i]] = static_cast<int64_t>(groups.first.size()) - 1;
    ++groups.counts.back();
  }
  if (sorted) return groups;
  std::vector<size_t> by_appearance(groups.first.size());
  std::iota(by_appearance.begin(), by_appearance.end(), size_t{0});
  std::sort(by_appearance.begin(), by_appearance.end(),
            [&](size_t a, size_t b) { return groups.first[a] < groups.first[b]; });
  Groups out = groups;
  std::vector<int64_t> place(by_appearance.size());
  for (size_t i = 0; i < by_appearance.size(); ++i) {
    out.first[i] = groups.first[by_appearance[i]];
    out.counts[i] = groups.counts[by_appearance[i]];
    place[by_appearance[i]] = static_cast<int64_t>(i);
  }
  for (int64_t& inverse : out.inverse) inverse = place[static_cast<size_t>(inverse)];
  return out;
}

}  // namespace

Types Unique::infer(const Types& in) const {
  const Type& x = tensor_input(in, 0, "Unique");
  const Type unknown = Type::tensor(DType::i64, {Dim::fresh("unique")});
  if (!x.ranked) {
    const Type inverse = Type::tensor(DType::i64, {Dim::fresh("entries")});
    return {axis ? x : Type::tensor(x.dtype, unknown.shape), unknown, inverse, unknown};
  }
  const auto at = static_cast<size_t>(axis ? normalise_axis(*axis, x.rank()) : 0);
  const Dim entries = axis ? x.shape[at] : product(x.shape);
  const Dim found = Dim::fresh("unique", std::min<int64_t>(entries.lower(), 1), entries.upper());
  Shape shape = axis ? x.shape : Shape{found};
  shape[at] = found;
  const Type counts = Type::tensor(DType::i64, {found});
  return {Type::tensor(x.dtype, std::move(shape)), counts, Type::tensor(DType::i64, {entries}),
          counts};
}

Tensors Unique::eval(const Tensors& in) const {
  const Tensor x = axis ? in[0] : in[0].reshaped({static_cast<int64_t>(in[0].elements())});
  const auto at = static_cast<size_t>(normalise_axis(axis.value_or(0), x.rank()));
  const std::vector<int64_t> rank = ranks(x);
  const int64_t stride = row_major_strides(x.dims())[at];
  std::vector<std::vector<int64_t>> keys(static_cast<size_t>(x.dims()[at]));
  for (size_t i = 0; i < rank.size(); ++i) {
    keys[static_cast<size_t>(static_cast<int64_t>(i) / stride % x.dims()[at])].push_back(rank[i]);
  }
  const Groups groups = group(keys, sorted);
  AxisOffsets offsets = identity_offsets(x.dims());
  offsets[at].clear();
  for (const int64_t entry : groups.first) offsets[at].push_back(entry * stride);
  const auto vector = [](const std::vector<int64_t>& values) {
    return Tensor::of({static_cast<int64_t>(values.size())}, values);
  };
  return {moved(x, index_map(offsets)), vector(groups.first), vector(groups.inverse),
          vector(groups.counts)};
}

}  // namespace tenrec
