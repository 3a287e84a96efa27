// SPDX-License-Identifier: Apache-2.0
// XXH3-128: section checksums and content keys. It detects damage, not malice.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tenrec {

struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;

  std::array<std::byte, 16> bytes() const;  // big endian: the same on every machine
  static Hash128 from_bytes(std::span<const std::byte, 16> bytes);
  std::string hex() const;  // 32 digits, in the order of bytes()
  friend auto operator<=>(const Hash128&, const Hash128&) = default;
};

Hash128 hash128(std::span<const std::byte> bytes);
Hash128 hash128(std::string_view text);

// The same hash over bytes that come in pieces.
class Hasher {
 public:
  Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();
  void add(std::span<const std::byte> bytes);
  void add(std::string_view text);
  Hash128 digest() const;  // of all added so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tenrec

template <>
struct std::hash<tenrec::Hash128> {
  size_t operator()(const tenrec::Hash128& hash) const noexcept {
    return static_cast<size_t>(hash.low);
  }
};
