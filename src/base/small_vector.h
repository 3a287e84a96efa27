// SPDX-License-Identifier: Apache-2.0
// A vector that keeps up to N elements in itself: sizes and strides of tensors, worked out at every
// new shape, take no memory from the heap. Longer ones do.
#pragma once
#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <vector>

namespace tenrec {

template <class T, size_t N>
class SmallVector {
  static_assert(std::is_trivially_copyable_v<T> && !std::is_same_v<T, bool>);

 public:
  SmallVector() = default;
  SmallVector(size_t count, T value) { resize(count, value); }
  SmallVector(std::initializer_list<T> values) { assign(values); }
  explicit SmallVector(std::span<const T> values) { assign(values); }
  template <std::input_iterator Iterator>
  SmallVector(Iterator first, Iterator last) {
    for (; first != last; ++first) push_back(*first);
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return long_.empty() ? short_ : long_.data(); }
  const T* data() const { return long_.empty() ? short_ : long_.data(); }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }
  T& back() { return data()[size_ - 1]; }
  const T& back() const { return data()[size_ - 1]; }

  void clear() { size_ = 0; }
  void assign(size_t count, T value) {
    clear();
    resize(count, value);
  }
  void assign(std::span<const T> values) {
    resize(values.size());
    std::copy(values.begin(), values.end(), data());
  }
  void resize(size_t count, T value = {}) {
    make_room(count);
    if (count > size_) std::fill(data() + size_, data() + count, value);
    size_ = count;
  }
  void push_back(T value) {
    make_room(size_ + 1);
    data()[size_++] = value;
  }
  void append(std::initializer_list<T> values) {
    for (const T value : values) push_back(value);
  }
  void pop_back() { --size_; }
  void insert_front(T value) {
    push_back(value);
    std::rotate(begin(), end() - 1, end());
  }
  void move_to_back(size_t at) { std::rotate(begin() + at, begin() + at + 1, end()); }

  friend bool operator==(const SmallVector& a, const SmallVector& b) {
    return std::ranges::equal(a, b);
  }

 private:
  // Once long, always long: its capacity stays.
  void make_room(size_t count) {
    if (!long_.empty()) {
      if (count > long_.size()) long_.resize(std::max(count, 2 * long_.size()));
    } else if (count > N) {
      std::vector<T> longer(std::max(count, 2 * N));
      std::copy(short_, short_ + size_, longer.begin());
      long_ = std::move(longer);
    }
  }

  T short_[N] = {};
  std::vector<T> long_;
  size_t size_ = 0;
};

}  // namespace tenrec
