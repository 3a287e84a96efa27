// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include "base/error.h"

namespace tenrec {

struct Hasher::State {
  XXH3_state_t xxh;
};

std::array<std::byte, 16> Hash128::bytes() const {
  std::array<std::byte, 16> result{};
  for (size_t i = 0; i < 8; ++i) {
    result[i] = static_cast<std::byte>(high >> (56 - 8 * i));
    result[8 + i] = static_cast<std::byte>(low >> (56 - 8 * i));
  }
  return result;
}

Hash128 Hash128::from_bytes(std::span<const std::byte, 16> bytes) {
  Hash128 hash;
  for (size_t i = 0; i < 8; ++i) {
    hash.high = hash.high << 8 | static_cast<uint64_t>(bytes[i]);
    hash.low = hash.low << 8 | static_cast<uint64_t>(bytes[8 + i]);
  }
  return hash;
}

std::string Hash128::hex() const { return fmt::format("{:016x}{:016x}", high, low); }

Hash128 hash128(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

Hash128 hash128(std::string_view text) { return hash128(std::as_bytes(std::span(text))); }

Hasher::Hasher() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->xxh); }
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::add(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  TENREC_ASSERT(XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size()) == XXH_OK);
}

void Hasher::add(std::string_view text) { add(std::as_bytes(std::span(text))); }

Hash128 Hasher::digest() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(&state_->xxh);
  return {hash.high64, hash.low64};
}

}  // namespace tenrec
