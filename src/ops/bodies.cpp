// SPDX-License-Identifier: Apache-2.0
#include "ops/bodies.h"

#include <algorithm>

#include "ops/movement.h"

namespace tenrec {
namespace {

bool same_known(const Type& a, const Type& b) {
  return a.known == b.known || (a.known && b.known && *a.known == *b.known);
}

bool same(const Type& a, const Type& b) { return a == b && same_known(a, b); }

// The element type of an empty sequence, which every tensor of its dtype fits.
bool is_nothing(const Type& type) { return !type.present() && type.dtype != DType::undefined; }

void check_same_kind(const Type& a, const Type& b, std::string_view what) {
  if (a.dtype == b.dtype && (is_nothing(a) || is_nothing(b))) return;
  TENREC_CHECK(a.kind == b.kind && a.dtype == b.dtype, invalid_model, "{} is {} here and {} there",
               what, a.str(), b.str());
}

Type with_element(Type type, Type element) {
  type.element = std::make_shared<const Type>(std::move(element));
  return type;
}

void collect(const Type& type, SymbolSet& into) {
  std::vector<SymbolRef> symbols;
  for (const Dim& dim : type.shape) dim.collect_symbols(symbols);
  if (type.known) {
    for (const Dim& dim : type.known->ints) dim.collect_symbols(symbols);
    for (const Scale& scale : type.known->floats) into.insert(scale.symbol.get());
  }
  for (const SymbolRef& symbol : symbols) into.insert(symbol.get());
  if (type.element) collect(*type.element, into);
}

bool all_visible(const Dim& dim, const SymbolSet& visible) {
  std::vector<SymbolRef> symbols;
  dim.collect_symbols(symbols);
  return std::all_of(symbols.begin(), symbols.end(),
                     [&](const SymbolRef& symbol) { return visible.contains(symbol.get()); });
}

bool known_visible(const Known& known, const SymbolSet& visible) {
  return std::all_of(known.ints.begin(), known.ints.end(),
                     [&](const Dim& dim) { return all_visible(dim, visible); }) &&
         std::all_of(known.floats.begin(), known.floats.end(), [&](const Scale& scale) {
           return !scale.symbol || visible.contains(scale.symbol.get());
         });
}

// `type` made wide enough for `next` too. Sizes in `own` already stand for any size.
Type widened(const Type& type, const Type& next, SymbolSet& own) {
  // A body may give the bare value where it was first given an optional one.
  if (type.kind == Type::Kind::optional && next.kind != Type::Kind::optional) {
    return Type::optional_of(widened(*type.element, next, own));
  }
  check_same_kind(type, next, "a loop-carried value");
  if (is_nothing(type) || is_nothing(next)) return is_nothing(type) ? next : type;
  if (type.element) return with_element(type, widened(*type.element, *next.element, own));
  if (type.kind != Type::Kind::tensor || !type.ranked) return type;
  if (!next.ranked || next.rank() != type.rank()) return Type::unranked(type.dtype);
  Shape shape = type.shape;
  for (size_t i = 0; i < shape.size(); ++i) {
    const SymbolRef symbol = shape[i].as_symbol();
    if (shape[i] == next.shape[i] || (symbol && own.contains(symbol.get()))) continue;
    shape[i] = Dim::fresh(fmt::format("carried{}", i));
    own.insert(shape[i].as_symbol().get());
  }
  Type wide = Type::tensor(type.dtype, std::move(shape));
  if (type.known && same_known(type, next)) wide.known = type.known;
  return wide;
}

}  // namespace

Types output_types(const Graph& body) {
  Types types;
  for (const Value* output : body.outputs()) types.push_back(output->type);
  return types;
}

Types body_outputs(const Graph& body, const Types& inputs) {
  TENREC_CHECK(body.inputs().size() == inputs.size(), invalid_model,
               "a body takes {} inputs, it is given {}", body.inputs().size(), inputs.size());
  bool unchanged = true;
  for (size_t i = 0; i < inputs.size(); ++i) unchanged &= same(body.inputs()[i]->type, inputs[i]);
  if (unchanged) return output_types(body);
  const std::unique_ptr<Graph> copy = body.clone();
  for (size_t i = 0; i < inputs.size(); ++i) copy->inputs()[i]->type = inputs[i];
  copy->reinfer();
  return output_types(*copy);
}

Type merged(const Type& a, const Type& b, std::string_view what) {
  check_same_kind(a, b, what);
  if (is_nothing(a) || is_nothing(b)) return is_nothing(a) ? b : a;
  if (a.element) return with_element(a, merged(*a.element, *b.element, what));
  if (a.kind != Type::Kind::tensor) return a;
  if (!a.ranked || !b.ranked || a.rank() != b.rank()) return Type::unranked(a.dtype);
  Shape shape = a.shape;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (a.shape[i] == b.shape[i]) continue;
    shape[i] =
        Dim::fresh(fmt::format("merged{}", i), std::min(a.shape[i].lower(), b.shape[i].lower()),
                   std::max(a.shape[i].upper(), b.shape[i].upper()));
  }
  Type out = Type::tensor(a.dtype, std::move(shape));
  if (a.known && same_known(a, b)) out.known = a.known;
  return out;
}

SymbolSet symbols_of(const Types& types) {
  SymbolSet symbols;
  for (const Type& type : types) collect(type, symbols);
  return symbols;
}

Type exported(const Type& type, const SymbolSet& visible) {
  if (type.element) return with_element(type, exported(*type.element, visible));
  if (type.kind != Type::Kind::tensor || !type.ranked) return type;
  Shape shape = type.shape;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (all_visible(shape[i], visible)) continue;
    shape[i] = Dim::fresh(fmt::format("inner{}", i), std::max<int64_t>(shape[i].lower(), 0),
                          shape[i].upper());
  }
  Type out = Type::tensor(type.dtype, std::move(shape));
  if (type.known && known_visible(*type.known, visible)) out.known = type.known;
  return out;
}

Carried stable_carried(Types carried,
                       const std::function<Types(const Types& carried)>& outputs_of) {
  SymbolSet own;
  while (true) {
    Types outputs = outputs_of(carried);
    TENREC_CHECK(outputs.size() >= carried.size(), invalid_model,
                 "the body has {} outputs, fewer than the {} values it carries", outputs.size(),
                 carried.size());
    Types next;
    bool stable = true;
    for (size_t i = 0; i < carried.size(); ++i) {
      next.push_back(widened(carried[i], outputs[i], own));
      stable &= same(next.back(), carried[i]);
    }
    if (stable) return {std::move(carried), std::move(outputs)};
    carried = std::move(next);
  }
}

EmptyOutput empty_output(const Type& type) {
  TENREC_CHECK(type.kind == Type::Kind::tensor, invalid_model,
               "a collected output must be a tensor, got {}", type.str());
  EmptyOutput empty{type.dtype, {}};
  for (const Dim& dim : type.shape) empty.dims.push_back(dim.constant().value_or(0));
  return empty;
}

Tensor stacked(const Tensors& parts, int64_t axis, const EmptyOutput& empty) {
  Dims dims = parts.empty() ? empty.dims : parts[0].dims();
  const int64_t at = normalise_axis(axis, static_cast<int64_t>(dims.size()) + 1);
  dims.insert(dims.begin() + at, parts.empty() ? 0 : 1);
  if (parts.empty()) return Tensor(empty.dtype, dims);
  Tensors slices;
  for (const Tensor& part : parts) {
    Dims slice = part.dims();
    slice.insert(slice.begin() + std::min<int64_t>(at, part.rank()), 1);
    slices.push_back(part.reshaped(slice));
  }
  return joined(slices, at);
}

}  // namespace tenrec
