// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <map>
#include <optional>
#include <vector>

#include "bind.h"
#include "buffer.h"

using tenrec::DType;
using tenrec::Error;
using tenrec::ErrorCode;
using tenrec::HostTensor;
using tenrec::HostValue;

DType dtype_of(const std::string& name) {
  static const std::map<std::string, DType> by_name = [] {
    std::map<std::string, DType> all;
    for (int i = 1; i <= static_cast<int>(DType::i2); ++i)
      all[tenrec::dtype_name(static_cast<DType>(i))] = static_cast<DType>(i);
    return all;
  }();
  const auto found = by_name.find(name);
  if (found == by_name.end())
    throw Error(ErrorCode::usage, "\"" + name + "\" is no element type; \"f32\" is one");
  return found->second;
}

namespace {

HostValue tensor_value(const std::string& dtype, std::vector<int64_t> dims, nb::handle memory) {
  HostTensor tensor(dtype_of(dtype), std::move(dims));
  const Buffer buffer(memory, false);
  if (buffer.bytes() != tensor.data.size())
    throw Error(ErrorCode::usage, "a tensor of " + std::to_string(tensor.data.size()) +
                                      " bytes is given " + std::to_string(buffer.bytes()));
  if (buffer.bytes() > 0) std::memcpy(tensor.data.data(), buffer.data(), buffer.bytes());
  return tensor;
}

HostValue strings_value(std::vector<int64_t> dims, std::vector<std::string> strings) {
  HostTensor tensor(DType::string, std::move(dims));
  tensor.strings = std::move(strings);
  return tensor;
}

HostValue container(HostValue::Kind kind, std::vector<HostValue> elements) {
  HostValue value;
  value.kind = kind;
  value.elements = std::move(elements);
  return value;
}

std::string kind_name(const HostValue& value) {
  switch (value.kind) {
    case HostValue::Kind::none: return "none";
    case HostValue::Kind::tensor: return "tensor";
    case HostValue::Kind::sequence: return "sequence";
    case HostValue::Kind::optional: return "optional";
    case HostValue::Kind::map: return "map";
  }
  return "";
}

}  // namespace

void bind_values(nb::module_& module) {
  using Kind = HostValue::Kind;
  nb::class_<HostValue>(module, "Value", "A tensor, sequence, optional or map on the host.")
      .def_static("tensor", tensor_value, nb::arg("dtype"), nb::arg("dims"), nb::arg("memory"),
                  "A copy of packed, row-major elements.")
      .def_static("strings_tensor", strings_value, nb::arg("dims"), nb::arg("strings"))
      .def_static(
          "sequence",
          [](std::vector<HostValue> all) { return container(Kind::sequence, std::move(all)); },
          nb::arg("elements"))
      .def_static(
          "optional",
          [](std::vector<HostValue> all) { return container(Kind::optional, std::move(all)); },
          nb::arg("zero_or_one"))
      .def_static(
          "map",
          [](const HostValue& keys, const HostValue& values) {
            return container(Kind::map, {keys, values});
          },
          nb::arg("keys"), nb::arg("values"))
      .def_prop_ro("kind", kind_name, "tensor, sequence, optional, map or none")
      .def_prop_ro("dtype",
                   [](const HostValue& value) { return tenrec::dtype_name(value.tensor.dtype); })
      .def_prop_ro("dims", [](const HostValue& value) { return value.tensor.dims; })
      .def_prop_ro("strings", [](const HostValue& value) { return value.tensor.strings; })
      .def_prop_ro("elements", [](const HostValue& value) { return value.elements; })
      .def_prop_ro(
          "memory",
          [](nb::handle self) {
            HostTensor& tensor = nb::cast<HostValue&>(self).tensor;
            return Bytes(tensor.data.data(), {tensor.data.size()}, self);
          },
          "The elements' bytes, not copied: the array keeps this value alive.");
}
