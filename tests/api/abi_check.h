// SPDX-License-Identifier: Apache-2.0
// What make_abi_check.py's output needs: slots and offsets read from pointers to members, which the
// Itanium C++ ABI defines (1 + 8 * slot for a virtual function, the offset for data).
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace trt_abi {

struct Fact {
  std::string what;
  int64_t expected = 0;  // TensorRT 10.16
  int64_t actual = 0;    // include/trt
};

template <class Pointer>
int64_t first_word(Pointer pointer) {
  static_assert(sizeof(pointer) >= sizeof(int64_t));
  int64_t word = 0;
  std::memcpy(&word, &pointer, sizeof(word));
  return word;
}
template <class Pointer>
int64_t slot_of(Pointer pointer) {
  const int64_t word = first_word(pointer);
  return word % 8 == 1 ? word / 8 : -1;  // -1: not virtual
}
template <class Pointer>
int64_t offset_of(Pointer pointer) {
  return first_word(pointer);
}

std::vector<Fact> facts();

}  // namespace trt_abi
