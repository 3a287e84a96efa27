// SPDX-License-Identifier: Apache-2.0
// Tile loops that change types: memory to registers and back, casts, and cutting to narrow
// integers.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/tile_convert.cpp"
#include "targets/cpu/run/highway_each.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "targets/cpu/run/tile.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using F = hn::CappedTag<float, 8>;
using H = hn::Rebind<hwy::float16_t, F>;
constexpr F f{};
constexpr H h{};

// Bits as in memory; a bool of any non-zero byte is 1.
template <class M, class R>
void widen(const TileArgs& t) {
  const auto* a = static_cast<const M*>(t.a.data);
  auto* to = static_cast<R*>(t.to);
  for (int i = 0; i < t.n; ++i) to[i] = static_cast<R>(a[i * t.a.step]);
}
template <class R, class M>
void narrow(const TileArgs& t) {
  const auto* a = static_cast<const R*>(t.a.data);
  auto* to = static_cast<M*>(t.to);
  for (int i = 0; i < t.n; ++i) to[i] = static_cast<M>(a[i * t.a.step]);
}
void load_bool(const TileArgs& t) {
  const auto* a = static_cast<const uint8_t*>(t.a.data);
  auto* to = static_cast<int32_t*>(t.to);
  for (int i = 0; i < t.n; ++i) to[i] = a[i * t.a.step] != 0;
}
float float_of_bf16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}
uint16_t bf16_of_float(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}
void load_bf16(const TileArgs& t) {
  const auto* a = static_cast<const uint16_t*>(t.a.data);
  auto* to = static_cast<float*>(t.to);
  for (int i = 0; i < t.n; ++i) to[i] = float_of_bf16(a[i * t.a.step]);
}
void store_bf16(const TileArgs& t) {
  const auto* a = static_cast<const float*>(t.a.data);
  auto* to = static_cast<uint16_t*>(t.to);
  for (int i = 0; i < t.n; ++i) to[i] = bf16_of_float(a[i * t.a.step]);
}
// Hardware conversion where there is one; the other sets convert exactly, by tenrec's own
// functions.
constexpr bool has_f16 = HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3;
void load_f16(const TileArgs& t) {
  const auto* a = static_cast<const uint16_t*>(t.a.data);
  auto* to = static_cast<float*>(t.to);
  if constexpr (has_f16) {
    if (t.a.step == 1) {
      const int lanes = static_cast<int>(hn::Lanes(f));
      for (int i = 0; i < t.n; i += lanes) {
        hn::StoreU(hn::PromoteTo(f, hn::LoadU(h, reinterpret_cast<const hwy::float16_t*>(a + i))),
                   f, to + i);
      }
      return;
    }
  }
  for (int i = 0; i < t.n; ++i) to[i] = half_to_float(a[i * t.a.step]);
}
void store_f16(const TileArgs& t) {
  const auto* a = static_cast<const float*>(t.a.data);
  auto* to = static_cast<uint16_t*>(t.to);
  if constexpr (has_f16) {
    const int lanes = static_cast<int>(hn::Lanes(f));
    for (int i = 0; i < t.n; i += lanes) {
      hn::StoreU(hn::DemoteTo(h, hn::LoadU(f, a + i * t.a.step)), h,
                 reinterpret_cast<hwy::float16_t*>(to + i));
    }
    return;
  }
  for (int i = 0; i < t.n; ++i) to[i] = float_to_half(a[i * t.a.step]);
}

// Float to integer as the oracle does: NaN is 0, out of int64's range saturates, then wraps.
template <class R, class T>
R integer_of(T value) {
  if (std::isnan(value)) return 0;
  const auto wide = static_cast<double>(value);
  if constexpr (std::is_same_v<R, uint64_t>) {
    if (wide >= 9223372036854775808.0) {
      return wide < 18446744073709551616.0 ? static_cast<uint64_t>(wide) : ~uint64_t{0};
    }
  }
  const double limit = 9223372036854775807.0;
  if (wide >= limit) return static_cast<R>(std::numeric_limits<int64_t>::max());
  if (wide <= -limit) return static_cast<R>(std::numeric_limits<int64_t>::min());
  return static_cast<R>(static_cast<int64_t>(wide));
}
template <class T, class R>
void cast(const TileArgs& t) {
  const auto* a = static_cast<const T*>(t.a.data);
  auto* to = static_cast<R*>(t.to);
  for (int i = 0; i < t.n; ++i) {
    if constexpr (std::is_floating_point_v<T> && !std::is_floating_point_v<R>) {
      to[i] = integer_of<R>(a[i * t.a.step]);
    } else {
      to[i] = static_cast<R>(a[i * t.a.step]);
    }
  }
}
template <class T>
void cast_bool(const TileArgs& t) {
  const auto* a = static_cast<const T*>(t.a.data);
  auto* to = static_cast<int32_t*>(t.to);
  for (int i = 0; i < t.n; ++i) to[i] = a[i * t.a.step] != T{0};
}
template <class T, uint16_t (*down)(float), float (*up)(uint16_t)>
void cast_short_float(const TileArgs& t) {
  const auto* a = static_cast<const T*>(t.a.data);
  auto* to = static_cast<float*>(t.to);
  for (int i = 0; i < t.n; ++i) to[i] = up(down(static_cast<float>(a[i * t.a.step])));
}
template <class M>
void wrap(const TileArgs& t) {
  const auto* a = static_cast<const int32_t*>(t.a.data);
  auto* to = static_cast<int32_t*>(t.to);
  for (int i = 0; i < t.n; ++i) to[i] = static_cast<M>(a[i * t.a.step]);
}

template <class T>
TileFn cast_from(DType to) {
  switch (to) {
    case DType::f32: return cast<T, float>;
    case DType::f64: return cast<T, double>;
    case DType::i32: return cast<T, int32_t>;
    case DType::u32: return cast<T, uint32_t>;
    case DType::i64: return cast<T, int64_t>;
    case DType::u64: return cast<T, uint64_t>;
    case DType::boolean: return cast_bool<T>;
    case DType::f16: return cast_short_float<T, float_to_half, half_to_float>;
    case DType::bf16: return cast_short_float<T, bf16_of_float, float_of_bf16>;
    default: return nullptr;
  }
}

}  // namespace

TileFn pick_cast(DType from, DType to);
TileFn pick_cast(DType from, DType to) {
  switch (from) {
    case DType::f32: return cast_from<float>(to);
    case DType::f64: return cast_from<double>(to);
    case DType::i32: return cast_from<int32_t>(to);
    case DType::u32: return cast_from<uint32_t>(to);
    case DType::i64: return cast_from<int64_t>(to);
    case DType::u64: return cast_from<uint64_t>(to);
    default: return nullptr;
  }
}

TileFn pick_load(DType memory);
TileFn pick_load(DType memory) {
  switch (memory) {
    case DType::f16: return load_f16;
    case DType::bf16: return load_bf16;
    case DType::boolean: return load_bool;
    case DType::i8: return widen<int8_t, int32_t>;
    case DType::u8: return widen<uint8_t, int32_t>;
    case DType::i16: return widen<int16_t, int32_t>;
    case DType::u16: return widen<uint16_t, int32_t>;
    default: return nullptr;
  }
}

TileFn pick_store(DType memory);
TileFn pick_store(DType memory) {
  switch (memory) {
    case DType::f16: return store_f16;
    case DType::bf16: return store_bf16;
    case DType::boolean:
    case DType::i8:
    case DType::u8: return narrow<int32_t, uint8_t>;
    case DType::i16:
    case DType::u16: return narrow<int32_t, uint16_t>;
    default: return nullptr;
  }
}

TileFn pick_wrap(DType dtype);
TileFn pick_wrap(DType dtype) {
  switch (dtype) {
    case DType::i8: return wrap<int8_t>;
    case DType::u8: return wrap<uint8_t>;
    case DType::i16: return wrap<int16_t>;
    case DType::u16: return wrap<uint16_t>;
    default: return nullptr;
  }
}

template <bool load>
void convert_all(TileFn fn, size_t from_size, size_t to_size, const void* from, void* to,
                 int64_t n) {
  const auto* source = static_cast<const std::byte*>(from);
  auto* target = static_cast<std::byte*>(to);
  const int64_t whole = n / tile_group * tile_group;
  for (int64_t i = 0; i < whole; i += 1 << 20) {
    const auto part = static_cast<int>(whole - i < (1 << 20) ? whole - i : 1 << 20);
    fn({.a = {source + static_cast<size_t>(i) * from_size, 1},
        .b = {},
        .c = {},
        .to = target + static_cast<size_t>(i) * to_size,
        .n = part});
  }
  const auto left = static_cast<size_t>(n - whole);
  if (left == 0) return;
  alignas(64) std::byte in[tile_group * 4] = {};
  alignas(64) std::byte out[tile_group * 4];
  std::memcpy(in, source + static_cast<size_t>(whole) * from_size, left * from_size);
  fn({.a = {in, 1}, .b = {}, .c = {}, .to = out, .n = tile_group});
  std::memcpy(target + static_cast<size_t>(whole) * to_size, out, left * to_size);
}
void plain_copy(const void* from, void* to, int64_t n) {
  if (n > 0) std::memmove(to, from, static_cast<size_t>(n) * sizeof(float));
}
void f16_to_float(const void* from, void* to, int64_t n) {
  convert_all<true>(load_f16, 2, 4, from, to, n);
}
void bf16_to_float(const void* from, void* to, int64_t n) {
  convert_all<true>(load_bf16, 2, 4, from, to, n);
}
void float_to_f16(const void* from, void* to, int64_t n) {
  convert_all<false>(store_f16, 4, 2, from, to, n);
}
void float_to_bf16s(const void* from, void* to, int64_t n) {
  convert_all<false>(store_bf16, 4, 2, from, to, n);
}

ConvertFn pick_convert(DType memory, bool load);
ConvertFn pick_convert(DType memory, bool load) {
  switch (memory) {
    case DType::f32: return plain_copy;
    case DType::f16: return load ? f16_to_float : float_to_f16;
    case DType::bf16: return load ? bf16_to_float : float_to_bf16s;
    default: return nullptr;
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {

TileFn tile_load(Isa isa, DType memory) { return TENREC_CPU_PICK(isa, pick_load)(memory); }
TileFn tile_store(Isa isa, DType memory) { return TENREC_CPU_PICK(isa, pick_store)(memory); }
TileFn tile_wrap(Isa isa, DType dtype) { return TENREC_CPU_PICK(isa, pick_wrap)(dtype); }
TileFn tile_cast(Isa isa, DType from_reg, DType to) {
  return TENREC_CPU_PICK(isa, pick_cast)(from_reg, to);
}
ConvertFn to_float(Isa isa, DType memory) {
  return TENREC_CPU_PICK(isa, pick_convert)(memory, true);
}
ConvertFn from_float(Isa isa, DType memory) {
  return TENREC_CPU_PICK(isa, pick_convert)(memory, false);
}

}  // namespace tenrec::cpu
#endif
