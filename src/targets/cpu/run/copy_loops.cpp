// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/copy_loops.cpp"
#include "targets/cpu/run/highway_each.h"
#include "targets/cpu/run/simd-inl.h"

#include <algorithm>

#include "targets/cpu/run/copy_loops.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {
namespace {

using Quad = hn::CappedTag<float, 4>;
using R = hn::Vec<Tag>;
constexpr int L = kLanes;

// The first n of a register's words; the others read as 0 and are not touched in memory.
HWY_INLINE R load_words(const float* p, int64_t n) {
  if (n == L) return hn::LoadU(Tag(), p);
  if constexpr (kMaskedMoves)
    return hn::MaskedLoad(hn::FirstN(Tag(), static_cast<size_t>(n)), Tag(), p);
  float copy[L] = {};
  std::memcpy(copy, p, static_cast<size_t>(n) * sizeof(float));
  return hn::LoadU(Tag(), copy);
}
HWY_INLINE void store_words(R words, float* p, int64_t n) {
  if (n == L) return hn::StoreU(words, Tag(), p);
  if constexpr (kMaskedMoves)
    return hn::BlendedStore(words, hn::FirstN(Tag(), static_cast<size_t>(n)), Tag(), p);
  float copy[L];
  hn::StoreU(words, Tag(), copy);
  std::memcpy(p, copy, static_cast<size_t>(n) * sizeof(float));
}

// Four columns side by side: quad b of rows[k] is row 4 b + k of them.
template <class D>
HWY_INLINE void join_quads(D d, const hn::Vec<D>* columns, hn::Vec<D>* rows) {
  const hn::Repartition<uint64_t, D> pairs;
  const auto low = [&](int i) HWY_ATTR {
    return hn::BitCast(pairs, hn::InterleaveLower(d, columns[i], columns[i + 1]));
  };
  const auto high = [&](int i) HWY_ATTR {
    return hn::BitCast(pairs, hn::InterleaveUpper(d, columns[i], columns[i + 1]));
  };
  rows[0] = hn::BitCast(d, hn::InterleaveLower(pairs, low(0), low(2)));
  rows[1] = hn::BitCast(d, hn::InterleaveUpper(pairs, low(0), low(2)));
  rows[2] = hn::BitCast(d, hn::InterleaveLower(pairs, high(0), high(2)));
  rows[3] = hn::BitCast(d, hn::InterleaveUpper(pairs, high(0), high(2)));
}

// Registers of four quads: quad b of `from`[i] becomes quad i of to[4 b].
HWY_INLINE void turn_quads(R a, R b, R c, R d, R* to) {
  const R ac = hn::ConcatLowerLower(Tag(), c, a), bd = hn::ConcatLowerLower(Tag(), d, b);
  to[0] = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(bd), ac);
  to[4] = hn::OddEvenBlocks(bd, hn::SwapAdjacentBlocks(ac));
  const R ac2 = hn::ConcatUpperUpper(Tag(), c, a), bd2 = hn::ConcatUpperUpper(Tag(), d, b);
  to[8] = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(bd2), ac2);
  to[12] = hn::OddEvenBlocks(bd2, hn::SwapAdjacentBlocks(ac2));
}

// L columns of kSide = L words become rows.
template <int kSide>
HWY_INLINE void turn(const R* columns, R* rows) {
  R quads[kSide];
  TENREC_UNROLL for (int i = 0; i < kSide; i += 4) join_quads(Tag(), columns + i, quads + i);
  TENREC_UNROLL for (int k = 0; k < 4; ++k) {
    if constexpr (kSide == 16) {
      turn_quads(quads[k], quads[4 + k], quads[8 + k], quads[12 + k], rows + k);
    } else if constexpr (kSide == 8) {
      rows[k] = hn::ConcatLowerLower(Tag(), quads[4 + k], quads[k]);
      rows[4 + k] = hn::ConcatUpperUpper(Tag(), quads[4 + k], quads[k]);
    } else {
      rows[k] = quads[k];
    }
  }
}

struct Words {  // a matrix
  float* at;
  int64_t row;
};
struct Source {
  const float* at;
  int64_t column;
};

HWY_INLINE void turn_whole(Source from, Words to) {
  R columns[L], rows[L];
  TENREC_UNROLL for (int c = 0; c < L; ++c) columns[c] =
      hn::LoadU(Tag(), from.at + c * from.column);
  turn<L>(columns, rows);
  TENREC_UNROLL for (int r = 0; r < L; ++r) hn::StoreU(rows[r], Tag(), to.at + r * to.row);
}

// At most kRows x L words; rows are written to `width`, with zeros behind the columns.
template <int kRows>
HWY_INLINE void turn_part(Source from, Words to, int64_t count, int64_t used, int64_t width) {
  R columns[L], rows[L];
  TENREC_UNROLL for (int c = 0; c < L; ++c) {
    columns[c] = c < used ? load_words(from.at + c * from.column, count) : hn::Zero(Tag());
  }
  turn<L>(columns, rows);
  TENREC_UNROLL for (int r = 0; r < kRows; ++r) {
    if (r < count) store_words(rows[r], to.at + r * to.row, width);
  }
}

template <class D>
HWY_INLINE R with_zeros_behind(D d, hn::Vec<D> words) {
  if constexpr (hn::MaxLanes(d) == L) {
    return words;
  } else {
    const hn::Twice<D> twice;
    return with_zeros_behind(twice, hn::ZeroExtendVector(twice, words));
  }
}

// Up to four columns of at least four words to rows of L, of which most is zeros. The last rows are
// moved twice where there is a rest.
void spread(Source from, Words to, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows; i += 4) {
    const int64_t r = std::min(i, rows - 4);
    hn::Vec<Quad> in[4], out[4];
    TENREC_UNROLL for (int c = 0; c < 4; ++c) {
      in[c] = c < columns ? hn::LoadU(Quad(), from.at + c * from.column + r) : hn::Zero(Quad());
    }
    join_quads(Quad(), in, out);
    TENREC_UNROLL for (int k = 0; k < 4; ++k)
        hn::StoreU(with_zeros_behind(Quad(), out[k]), Tag(), to.at + (r + k) * to.row);
  }
}

// Column k of every quad of a register: columns k, 4 + k, 8 + k, ... of four words.
template <class D>
HWY_INLINE hn::Vec<D> load_quads(D d, Source from) {
  if constexpr (hn::MaxLanes(d) == 4) {
    return hn::LoadU(d, from.at);
  } else {
    const hn::Half<D> half;
    const Source upper{from.at + hn::MaxLanes(half) * from.column, from.column};
    return hn::Combine(d, load_quads(half, upper), load_quads(half, from));
  }
}

// Four rows of L words.
HWY_INLINE void turn_four(Source from, Words to) {
  R columns[4], rows[4];
  TENREC_UNROLL for (int k = 0; k < 4; ++k) {
    columns[k] = load_quads(Tag(), {from.at + k * from.column, from.column});
  }
  join_quads(Tag(), columns, rows);
  TENREC_UNROLL for (int k = 0; k < 4; ++k) hn::StoreU(rows[k], Tag(), to.at + k * to.row);
}

// Columns that lie together, at least L, of at least 4 words, where a register is less than a line
// of the cache: some lines of four rows at a time, not parts of many.
void turn_near_columns(Source from, Words to, int64_t rows, int64_t columns) {
  constexpr int64_t wide = 64;
  for (int64_t c0 = 0; c0 < columns; c0 += wide) {
    for (int64_t r0 = 0; r0 < rows; r0 += 4) {
      const int64_t r = std::min(r0, rows - 4);
      for (int64_t c1 = c0; c1 < std::min(c0 + wide, columns); c1 += L) {
        const int64_t c = std::min(c1, columns - L);
        turn_four({from.at + c * from.column + r, from.column}, {to.at + r * to.row + c, to.row});
      }
    }
  }
}

// Tiles of 16 x 16, so that lines of the cache are read and written as a whole. Of a side of L or
// more the last words are moved twice where there is a rest.
void turn_tiles(Source from, Words to, int64_t rows, int64_t columns, int64_t width) {
  constexpr int64_t tile = 16;
  const int64_t last_row = std::max<int64_t>(rows - L, 0);
  const int64_t last_column = std::max<int64_t>(columns - L, 0);
  const int64_t count = std::min<int64_t>(rows, L), used = std::min<int64_t>(columns, L);
  const auto turn_at = [&](int64_t r, int64_t c) HWY_ATTR {
    r = std::min(r, last_row);
    c = std::min(c, last_column);
    const Source source{from.at + c * from.column + r, from.column};
    const Words target{to.at + r * to.row + c, to.row};
    if (count == L && used == L) return turn_whole(source, target);
    if (count <= 4) return turn_part<4>(source, target, count, used, std::min<int64_t>(width, L));
    turn_part<L>(source, target, count, used, std::min<int64_t>(width, L));
  };
  for (int64_t r0 = 0; r0 < rows; r0 += tile) {
    for (int64_t c0 = 0; c0 < columns; c0 += tile) {
      for (int64_t r = r0; r < std::min(r0 + tile, rows); r += L) {
        for (int64_t c = c0; c < std::min(c0 + tile, columns); c += L) turn_at(r, c);
      }
    }
  }
}

// Pixels of kColumns words out of as many planes.
template <int kColumns>
int64_t interleave(Source from, float* to, int64_t rows) {
  int64_t r = 0;
  for (; r + L <= rows; r += L) {
    R in[4];
    TENREC_UNROLL for (int c = 0; c < kColumns; ++c) in[c] =
        hn::LoadU(Tag(), from.at + c * from.column + r);
    float* at = to + r * kColumns;
    if constexpr (kColumns == 2) hn::StoreInterleaved2(in[0], in[1], Tag(), at);
    if constexpr (kColumns == 3) hn::StoreInterleaved3(in[0], in[1], in[2], Tag(), at);
    if constexpr (kColumns == 4) hn::StoreInterleaved4(in[0], in[1], in[2], in[3], Tag(), at);
  }
  return r;
}

// The reverse.
template <int kRows>
int64_t part(const float* from, Words to, int64_t columns) {
  int64_t c = 0;
  for (; c + L <= columns; c += L) {
    R out[4];
    const float* at = from + c * kRows;
    if constexpr (kRows == 2) hn::LoadInterleaved2(Tag(), at, out[0], out[1]);
    if constexpr (kRows == 3) hn::LoadInterleaved3(Tag(), at, out[0], out[1], out[2]);
    if constexpr (kRows == 4) hn::LoadInterleaved4(Tag(), at, out[0], out[1], out[2], out[3]);
    TENREC_UNROLL for (int r = 0; r < kRows; ++r) hn::StoreU(out[r], Tag(), to.at + r * to.row + c);
  }
  return c;
}

// Rows that are whole pixels of a few words.
int64_t interleave(Source from, Words to, int64_t rows, int64_t columns) {
  if (to.row != columns) return 0;
  switch (columns) {
    case 2: return interleave<2>(from, to.at, rows);
    case 3: return interleave<3>(from, to.at, rows);
    case 4: return interleave<4>(from, to.at, rows);
    default: return 0;
  }
}
int64_t part(Source from, Words to, int64_t rows, int64_t columns) {
  if (from.column != rows) return 0;
  switch (rows) {
    case 2: return part<2>(from.at, to, columns);
    case 3: return part<3>(from.at, to, columns);
    case 4: return part<4>(from.at, to, columns);
    default: return 0;
  }
}

void transpose(const float* from, int64_t from_row, float* to, int64_t to_row, int64_t rows,
               int64_t columns, int64_t zeros) {
  if (columns <= 4 && columns + zeros == L && rows >= 4)
    return spread({from, from_row}, {to, to_row}, rows, columns);
  const int64_t r = interleave(Source{from, from_row}, Words{to, to_row}, rows, columns);
  from += r;
  to += r * to_row;
  const int64_t c = part(Source{from, from_row}, Words{to, to_row}, rows - r, columns);
  from += c * from_row;
  to += c;
  constexpr bool whole_lines = L * sizeof(float) >= 64;
  if (!whole_lines && from_row <= to_row && rows - r >= 4 && columns - c >= L)
    return turn_near_columns({from, from_row}, {to, to_row}, rows - r, columns - c);
  turn_tiles({from, from_row}, {to, to_row}, rows - r, columns - c, columns - c + zeros);
}

HWY_INLINE V either(V a, V b) {
  V r;
  TENREC_EACH_PART r.part[i] = hn::Or(a.part[i], b.part[i]);
  return r;
}

const float* words(const std::byte* at) { return reinterpret_cast<const float*>(at); }

template <bool kFirst>
HWY_INLINE void join_two(const LanePiece& a, const LanePiece& b, int64_t count, std::byte* to,
                         int64_t to_step) {
  const std::byte *from_a = a.from, *from_b = b.from;
  const int64_t step_a = a.step, step_b = b.step;
  const int first_a = a.first, last_a = a.last, first_b = b.first, last_b = b.last;
  for (int64_t i = 0; i < count; ++i, from_a += step_a, from_b += step_b, to += to_step) {
    const V both = either(load_between(words(from_a), first_a, last_a),
                          load_between(words(from_b), first_b, last_b));
    auto* at = reinterpret_cast<float*>(to);
    store(at, kFirst ? both : either(load(at), both));
  }
}

void copy_blocks(const LanePiece& piece, int64_t count, std::byte* to, int64_t to_step) {
  const std::byte* from = piece.from;
  const int64_t step = piece.step;
  for (int64_t i = 0; i < count; ++i, from += step, to += to_step)
    store(reinterpret_cast<float*>(to), load(words(from)));
}

void join_lanes(std::span<const LanePiece> pieces, int64_t count, std::byte* to, int64_t to_step) {
  if (pieces.size() == 1 && pieces[0].last - pieces[0].first == B)
    return copy_blocks(pieces[0], count, to, to_step);
  for (size_t i = 0; i < pieces.size(); i += 2) {
    const LanePiece& first = pieces[i];
    const LanePiece second =
        i + 1 < pieces.size() ? pieces[i + 1] : LanePiece{.from = first.from, .step = first.step};
    if (i == 0) join_two<true>(first, second, count, to, to_step);
    else join_two<false>(first, second, count, to, to_step);
  }
}

constexpr CopyLoops loops{L, B, transpose, join_lanes};

}  // namespace

const CopyLoops& pick_copy_loops();
const CopyLoops& pick_copy_loops() { return loops; }

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {

const CopyLoops& copy_loops(Isa isa) { return TENREC_CPU_PICK(isa, pick_copy_loops)(); }

}  // namespace tenrec::cpu
#endif
