// SPDX-License-Identifier: Apache-2.0
#include "ops/indexing.h"

#include <algorithm>
#include <cmath>

namespace tenrec {

std::vector<int64_t> places_along(const Dims& dims, const Dims& index_dims,
                                  const std::vector<int64_t>& indices, int64_t axis) {
  TENREC_CHECK(dims.size() == index_dims.size(), invalid_input, "indices of shape {} into shape {}",
               to_string(index_dims), to_string(dims));
  const auto at = static_cast<size_t>(normalise_axis(axis, static_cast<int64_t>(dims.size())));
  const Dims strides = row_major_strides(dims);
  const Dims index_strides = row_major_strides(index_dims);
  for (size_t i = 0; i < dims.size(); ++i) {
    TENREC_CHECK(i == at || index_dims[i] <= dims[i], invalid_input,
                 "indices of shape {} into shape {}", to_string(index_dims), to_string(dims));
  }
  std::vector<int64_t> places(indices.size());
  for (size_t flat = 0; flat < indices.size(); ++flat) {
    int64_t place = 0;
    for (size_t i = 0; i < dims.size(); ++i) {
      const int64_t own = static_cast<int64_t>(flat) / index_strides[i] % index_dims[i];
      place += (i == at ? checked_index(indices[flat], dims[i], "an") : own) * strides[i];
    }
    places[flat] = place;
  }
  return places;
}

BlockPlaces block_places(const Dims& dims, const Dims& index_dims,
                         const std::vector<int64_t>& indices, int64_t batch_dims) {
  const auto batch = static_cast<size_t>(batch_dims);
  TENREC_CHECK(!index_dims.empty() && index_dims.back() >= 0 && batch < index_dims.size() &&
                   batch + static_cast<size_t>(index_dims.back()) <= dims.size(),
               invalid_input, "coordinates of shape {} into shape {}", to_string(index_dims),
               to_string(dims));
  for (size_t i = 0; i < batch; ++i) {
    TENREC_CHECK(dims[i] == index_dims[i], invalid_input,
                 "coordinates of shape {} into shape {}: batch axes differ", to_string(index_dims),
                 to_string(dims));
  }
  const auto depth = static_cast<size_t>(index_dims.back());
  const Dims strides = row_major_strides(dims);
  const auto tuples =
      static_cast<size_t>(element_count(Dims(index_dims.begin(), index_dims.end() - 1)));
  const auto batches =
      static_cast<size_t>(element_count(Dims(dims.begin(), dims.begin() + batch_dims)));
  const auto rest =
      static_cast<int64_t>(element_count(Dims(dims.begin() + batch_dims, dims.end())));
  BlockPlaces places;
  places.block = static_cast<int64_t>(
      element_count(Dims(dims.begin() + static_cast<std::ptrdiff_t>(batch + depth), dims.end())));
  for (size_t tuple = 0; tuple < tuples; ++tuple) {
    int64_t first = static_cast<int64_t>(tuple / (tuples / batches)) * rest;
    for (size_t i = 0; i < depth; ++i) {
      const int64_t index = checked_index(indices[tuple * depth + i], dims[batch + i], "an");
      first += index * strides[batch + i];
    }
    places.first.push_back(first);
  }
  return places;
}

namespace {

template <class T>
T combined(const std::string& reduction, T a, T b) {
  if (reduction == "add") return a + b;
  if (reduction == "mul") return a * b;
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<T>::quiet_NaN();
  }
  return reduction == "min" ? std::min(a, b) : std::max(a, b);
}

template <class T>
void combine_all(std::vector<T>& data, const std::vector<int64_t>& places,
                 const std::vector<T>& updates, const std::string& reduction) {
  for (size_t i = 0; i < places.size(); ++i) {
    T& at = data[static_cast<size_t>(places[i])];
    at = combined(reduction, at, updates[i]);
  }
}

// Sums and products wrap: the same bits whatever the sign, cut to the element's width at the end.
std::vector<int64_t> combined_ints(const Tensor& data, const std::vector<int64_t>& places,
                                   const Tensor& updates, const std::string& reduction) {
  std::vector<int64_t> values = data.to_ints();
  const std::vector<int64_t> changes = updates.to_ints();
  const bool ordered = reduction == "min" || reduction == "max";
  if (ordered && data.dtype() != DType::u64) {
    combine_all(values, places, changes, reduction);
    return values;
  }
  std::vector<uint64_t> wrapped(values.begin(), values.end());
  combine_all(wrapped, places, std::vector<uint64_t>(changes.begin(), changes.end()), reduction);
  return {wrapped.begin(), wrapped.end()};
}

void check_reduction(const std::string& reduction) {
  TENREC_CHECK(reduction == "none" || reduction == "add" || reduction == "mul" ||
                   reduction == "min" || reduction == "max",
               invalid_model, "reduction '{}'; there are none, add, mul, min and max", reduction);
}

}  // namespace

Tensor scattered(const Tensor& data, const std::vector<int64_t>& places, const Tensor& updates,
                 const std::string& reduction) {
  check_reduction(reduction);
  TENREC_CHECK(data.dtype() == updates.dtype() && updates.elements() == places.size(),
               invalid_input, "{} places get {} updates of {} into {}", places.size(),
               updates.elements(), name(updates.dtype()), name(data.dtype()));
  if (reduction == "none") {
    ElementWriter writer(data);
    const ElementReader reader(updates);
    for (size_t i = 0; i < places.size(); ++i)
      writer.copy(places[i], reader, static_cast<int64_t>(i));
    return std::move(writer).finish();
  }
  if (is_float(data.dtype())) {
    std::vector<double> values = data.to_doubles();
    combine_all(values, places, updates.to_doubles(), reduction);
    return Tensor::from_doubles(data.dtype(), data.dims(), values);
  }
  return Tensor::from_ints(data.dtype(), data.dims(),
                           combined_ints(data, places, updates, reduction));
}

Type scattered_type(const Type& data, const std::vector<int64_t>& places, const Type& updates,
                    const std::string& reduction) {
  Type out = Type::tensor(data.dtype, data.shape);
  const std::vector<Dim>* before = data.known_ints();
  const std::vector<Dim>* changes = updates.known_ints();
  if (!before || !changes || reduction != "none" || !out.is_static() ||
      changes->size() != places.size()) {
    return out;
  }
  std::vector<Dim> values = *before;
  for (size_t i = 0; i < places.size(); ++i) values[static_cast<size_t>(places[i])] = (*changes)[i];
  return out.with_known_ints(std::move(values));
}

}  // namespace tenrec
