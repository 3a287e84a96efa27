// SPDX-License-Identifier: Apache-2.0
// One field list a struct, from which printing, parsing, comparing, hashing and serialising come.
//
//   struct Softmax {
//     int64_t axis = -1;
//     static auto fields(auto& s) { return std::tuple{field(1, "axis", s.axis)}; }
//   };
//
// Ids are permanent: they are the protobuf field numbers of the engine file. Never reuse one.
// Field types: bool, int32/int64/uint64, float, double, enums, std::string, vectors of these,
// nested structs with fields and vectors of them, std::optional of any, ir types that specialise
// the visitor (Dim, Tensor).
#pragma once
#include <concepts>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace tenrec {

template <class T>
struct Field {
  int id;
  std::string_view name;
  T& value;
};

template <class T>
Field<T> field(int id, std::string_view name, T& value) {
  return {id, name, value};
}

template <class T>
concept HasFields = requires(T& t) { std::remove_const_t<T>::fields(t); };

template <HasFields T, class Visit>
void for_each_field(T& object, Visit&& visit) {
  std::apply([&](auto... f) { (visit(f), ...); }, std::remove_const_t<T>::fields(object));
}

template <HasFields T>
bool fields_equal(const T& a, const T& b) {
  return std::apply(
      [&](auto... fa) {
        return std::apply([&](auto... fb) { return ((fa.value == fb.value) && ...); },
                          T::fields(b));
      },
      T::fields(a));
}

}  // namespace tenrec
