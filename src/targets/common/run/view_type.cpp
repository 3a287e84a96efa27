// SPDX-License-Identifier: Apache-2.0
#include "targets/common/run/view_type.h"

#include "ops/bodies.h"
#include "targets/common/run/memory_layout.h"

namespace tenrec {
namespace {

Type type_of(const Datum& datum) {
  const auto element = [&] {
    if (datum.elements.empty()) return Type::unranked(DType::f32);
    Type type = type_of(datum.elements[0]);
    for (size_t i = 1; i < datum.elements.size(); ++i)
      type = merged(type, type_of(datum.elements[i]), "elements of a sequence");
    return type;
  };
  switch (datum.kind) {
    case Datum::Kind::none: return {};
    case Datum::Kind::tensor: return Type::of_constant(datum.tensor);
    case Datum::Kind::sequence: return Type::sequence_of(element());
    case Datum::Kind::optional: return Type::optional_of(element());
    case Datum::Kind::map:
      return Type::map_of(datum.elements[0].tensor.dtype(),
                          Type::tensor(datum.elements[1].tensor.dtype(), {}));
  }
  return {};
}

}  // namespace

Type type_of(const TensorView& view) {
  if (view.datum) return type_of(*view.datum);
  if (!view.data) return {};
  const Dims dims = dims_of(view);
  if (element_count(dims) > max_known_elements || !layout_of(view).is_plain())
    return Type::tensor(view.dtype, Shape(dims.begin(), dims.end()));
  return Type::of_constant(tensor_of(view));
}

}  // namespace tenrec
