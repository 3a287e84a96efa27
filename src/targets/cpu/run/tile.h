// SPDX-License-Identifier: Apache-2.0
// Pointwise programs as tiles: every scalar operation becomes one loop over up to 512 elements that
// stay in the first-level cache. Registers hold f32, f64, i32 or i64 (signed or not); narrower
// types live in the 32-bit ones, bool as 0 and 1 in i32.
#pragma once
#include <cstdint>

#include "base/dtype.h"
#include "ir/expr.h"
#include "targets/cpu/run/isa.h"

namespace tenrec::cpu {

constexpr int tile_elements = 512;
// Loops run over whole groups: the ends of tensors pass through buffers of one group.
constexpr int tile_group = 16;
constexpr int tile_splat_bytes = 64;  // a splat operand is this many bytes of one value

struct TileOperand {
  const void* data = nullptr;
  int step = 1;  // 0: `data` is a splat
};
struct TileArgs {
  TileOperand a, b, c;
  void* to = nullptr;
  int n = 0;  // a multiple of tile_group
};
using TileFn = void (*)(const TileArgs&);

// What a register of a program's value of this type holds; undefined: not possible.
DType register_type(DType dtype);

enum class TileExtra : uint8_t {
  copy,
  fma,   // a * b + c
  fms,   // a * b - c
  fnma,  // c - a * b
  gelu,  // a * 0.5 * (erf(a / sqrt(2)) + 1)
  keep,  // the bits of a that b has too
};

// Loops; null where there is none. `reg` is the register type of the operands (select: of b and c).
TileFn tile_float(Isa isa, Fn fn, DType reg);         // f32
TileFn tile_extra(Isa isa, TileExtra fn, DType reg);  // copy: any; the others: f32
TileFn tile_scalar(Isa isa, Fn fn, DType reg);        // f64 and integers
TileFn tile_load(Isa isa, DType memory);              // memory -> register; null: used in place
TileFn tile_store(Isa isa, DType memory);             // register -> memory; null: as it is
TileFn tile_wrap(Isa isa, DType dtype);  // cuts a register to a narrow type; null: no need
TileFn tile_cast(Isa isa, DType from_reg,
                 DType to);  // between registers, result wrapped/rounded to `to`

// Loads, computes and stores n elements; what families outside the tile programs use of the above.
using ConvertFn = void (*)(const void* from, void* to, int64_t n);
ConvertFn to_float(Isa isa, DType memory);  // f32, f16, bf16 -> f32
ConvertFn from_float(Isa isa, DType memory);

}  // namespace tenrec::cpu
