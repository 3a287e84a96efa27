// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/strided_copy.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace tenrec::cpu {
namespace {

constexpr int64_t parallel_bytes = 128 << 10;  // worth waking the other threads for
constexpr int64_t least_share = 64;            // words of a transposition's side

template <class T>
T* at(std::byte* p) {
  return reinterpret_cast<T*>(p);
}
template <class T>
const T* at(const std::byte* p) {
  return reinterpret_cast<const T*>(p);
}

// to[r * to_row + c] = from[c * from_row + r], r < rows, c < columns, in tiles that stay in cache.
template <class T>
void transpose(const std::byte* from_bytes, int64_t from_row, std::byte* to_bytes, int64_t to_row,
               int64_t rows, int64_t columns) {
  const T* from = at<T>(from_bytes);
  T* to = at<T>(to_bytes);
  constexpr int64_t tile = 16, long_side = 64;
  const int64_t tall = columns < tile ? long_side : tile, wide = rows < tile ? long_side : tile;
  for (int64_t r0 = 0; r0 < rows; r0 += tall) {
    for (int64_t c0 = 0; c0 < columns; c0 += wide) {
      for (int64_t r = r0; r < std::min(r0 + tall, rows); ++r) {
        for (int64_t c = c0; c < std::min(c0 + wide, columns); ++c)
          to[r * to_row + c] = from[c * from_row + r];
      }
    }
  }
}

template <class T>
void copy_elements(const T* from, int64_t from_step, T* to, int64_t to_step, int64_t count) {
  if (from_step == 0 && to_step == 1) {
    std::fill(to, to + count, *from);
    return;
  }
  for (int64_t i = 0; i < count; ++i) to[i * to_step] = from[i * from_step];
}

void copy_elements(const std::byte* from, int64_t from_step, std::byte* to, int64_t to_step,
                   int64_t count, size_t element) {
  switch (element) {
    case 1: return copy_elements(at<uint8_t>(from), from_step, at<uint8_t>(to), to_step, count);
    case 2: return copy_elements(at<uint16_t>(from), from_step, at<uint16_t>(to), to_step, count);
    case 4: return copy_elements(at<uint32_t>(from), from_step, at<uint32_t>(to), to_step, count);
    case 8: return copy_elements(at<uint64_t>(from), from_step, at<uint64_t>(to), to_step, count);
    default: break;
  }
  const auto step = [&](int64_t n) { return n * static_cast<int64_t>(element); };
  for (int64_t i = 0; i < count; ++i)
    std::memcpy(to + step(i * to_step), from + step(i * from_step), element);
}

template <size_t bytes>
void copy_rows(const std::byte* from, int64_t from_step, std::byte* to, int64_t to_step,
               int64_t rows) {
  for (int64_t r = 0; r < rows; ++r) std::memcpy(to + r * to_step, from + r * from_step, bytes);
}

// Short rows are one move each: a call would take longer.
void copy_rows(const std::byte* from, int64_t from_step, std::byte* to, int64_t to_step,
               int64_t rows, size_t bytes) {
  switch (bytes) {
    case 4: return copy_rows<4>(from, from_step, to, to_step, rows);
    case 8: return copy_rows<8>(from, from_step, to, to_step, rows);
    case 12: return copy_rows<12>(from, from_step, to, to_step, rows);
    case 16: return copy_rows<16>(from, from_step, to, to_step, rows);
    case 32: return copy_rows<32>(from, from_step, to, to_step, rows);
    default: break;
  }
  for (int64_t r = 0; r < rows; ++r) std::memcpy(to + r * to_step, from + r * from_step, bytes);
}

int tasks_for(int64_t bytes, int64_t units, const Threads& threads) {
  if (bytes < parallel_bytes) return 1;
  return static_cast<int>(std::clamp<int64_t>(units, 1, threads.count()));
}

}  // namespace

void fill_elements(std::byte* to, const std::byte* value, size_t element, int64_t count) {
  if (count <= 0) return;
  if (!value) {
    std::memset(to, 0, static_cast<size_t>(count) * element);
    return;
  }
  copy_elements(value, 0, to, 1, count, element);
}

void StridedCopy::prepare(const CopyLoops& loops) {
  loops_ = &loops;
  PerAxis kept, from, to;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const bool fixed = zeros_behind > 0 && i + 1 == sizes.size();
    if (sizes[i] == 1 && !fixed) continue;
    const bool even = !fixed && !kept.empty() && from.back() == from_strides[i] * sizes[i] &&
                      to.back() == to_strides[i] * sizes[i];
    if (even) {
      kept.back() *= sizes[i];
      from.back() = from_strides[i];
      to.back() = to_strides[i];
    } else {
      kept.push_back(sizes[i]);
      from.push_back(from_strides[i]);
      to.push_back(to_strides[i]);
    }
  }
  while (kept.size() < 2) {
    kept.insert_front(1);
    from.insert_front(0);
    to.insert_front(0);
  }
  const size_t last = kept.size() - 1;
  const auto move_loop = [&](size_t axis, size_t behind) {
    for (PerAxis* each : {&kept, &from, &to}) {
      std::rotate(each->begin() + static_cast<long>(axis),
                  each->begin() + static_cast<long>(axis) + 1,
                  each->begin() + static_cast<long>(behind) + 1);
    }
  };
  const auto contiguous = [&](const PerAxis& strides) {
    return static_cast<size_t>(std::find(strides.begin(), strides.end(), 1) - strides.begin());
  };
  // Writes go along memory; where reads then do not, their contiguous loop comes next to the last.
  if (const size_t axis = contiguous(to); axis < last) move_loop(axis, last);
  kind_ = from[last] == 1 && to[last] == 1 ? Kind::rows : Kind::elements;
  if (kind_ == Kind::elements && to[last] == 1 &&
      (element == 1 || element == 2 || element == 4 || element == 8)) {
    if (const size_t axis = contiguous(from); axis < last) {
      move_loop(axis, last - 1);
      kind_ = Kind::transpose;
    }
  }
  sizes = std::move(kept);
  from_strides = std::move(from);
  to_strides = std::move(to);
  row_ = sizes[last];
  rows_ = sizes[last - 1];
  outer_ = 1;
  for (size_t i = 0; i + 2 < sizes.size(); ++i) outer_ *= sizes[i];
  if (outer_ * rows_ * row_ == 0) kind_ = Kind::nothing;
  TENREC_ASSERT(zeros_behind == 0 || to_strides[last - 1] == row_ + zeros_behind,
                "{} zeros behind runs of {}, {} apart", zeros_behind, row_, to_strides[last - 1]);
}

void StridedCopy::run(const std::byte* from, std::byte* to, const Threads& threads) const {
  if (kind_ == Kind::nothing) return;
  const auto size = static_cast<int64_t>(element);
  from += from_offset * size;
  to += to_offset * size;
  const int64_t bytes = outer_ * rows_ * row_ * size;
  // A change of layout: the same pixels of every plane, as convolutions share them out.
  if (const int64_t side = std::max(rows_, row_);
      kind_ == Kind::transpose && side >= std::max(outer_, least_share * threads.count()))
    return share_side(zeros_behind > 0 || rows_ > row_, from, to, threads);
  if (outer_ >= threads.count() || bytes < parallel_bytes) {
    const int tasks = tasks_for(bytes, outer_, threads);
    threads.parallel(tasks, [&](int task, int) {
      run_part(from, to, {outer_ * task / tasks, outer_ * (task + 1) / tasks, rows_, row_});
    });
    return;
  }
  // Few outer iterations: the rows are shared out, or the one row itself.
  const bool cut_rows = zeros_behind > 0 || rows_ >= std::min<int64_t>(8 * threads.count(), row_);
  share_side(cut_rows, from, to, threads);
}

// Every thread has a part of one of the last two loops.
void StridedCopy::share_side(bool cut_rows, const std::byte* from, std::byte* to,
                             const Threads& threads) const {
  const auto size = static_cast<int64_t>(element);
  const int64_t whole = cut_rows ? rows_ : row_;
  const size_t axis = sizes.size() - (cut_rows ? 2 : 1);
  const int tasks = tasks_for(outer_ * rows_ * row_ * size, whole, threads);
  threads.parallel(tasks, [&](int task, int) {
    const int64_t begin = whole * task / tasks, end = whole * (task + 1) / tasks;
    run_part(from + begin * from_strides[axis] * size, to + begin * to_strides[axis] * size,
             {0, outer_, cut_rows ? end - begin : rows_, cut_rows ? row_ : end - begin});
  });
}

void StridedCopy::run_part(const std::byte* from, std::byte* to, const Part& part) const {
  const auto size = static_cast<int64_t>(element);
  for (int64_t i = part.begin; i < part.end; ++i) {
    int64_t rest = i, source = 0, target = 0;
    for (size_t axis = sizes.size() - 2; axis-- > 0;) {
      const int64_t index = rest % sizes[axis];
      rest /= sizes[axis];
      source += index * from_strides[axis];
      target += index * to_strides[axis];
    }
    if (zeros_behind == 0) {
      run_inner(from + source * size, to + target * size, part.rows, part.row);
    } else if (kind_ == Kind::transpose && element == 4 && row_ + zeros_behind <= loops_->vector) {
      run_transpose(from + source * size, to + target * size, part.rows, row_, zeros_behind);
    } else {
      run_padded(from + source * size, to + target * size, part.rows);
    }
  }
}

// Cleared by the page, which is then still in the first-level cache when the elements come.
void StridedCopy::run_padded(const std::byte* from, std::byte* to, int64_t rows) const {
  const size_t loop = sizes.size() - 2;
  const auto size = static_cast<int64_t>(element);
  const int64_t from_step = from_strides[loop] * size, to_step = to_strides[loop] * size;
  constexpr int64_t rows_a_time = 64;
  for (int64_t r = 0; r < rows; r += rows_a_time) {
    const int64_t count = std::min(rows_a_time, rows - r);
    std::memset(to + r * to_step, 0, static_cast<size_t>(count * to_step));
    run_inner(from + r * from_step, to + r * to_step, count, row_);
  }
}

void StridedCopy::run_inner(const std::byte* from, std::byte* to, int64_t rows, int64_t row) const {
  const size_t last = sizes.size() - 1;
  const auto size = static_cast<int64_t>(element);
  if (kind_ == Kind::transpose) return run_transpose(from, to, rows, row, 0);
  const int64_t from_step = from_strides[last - 1] * size, to_step = to_strides[last - 1] * size;
  if (kind_ == Kind::rows) {
    copy_rows(from, from_step, to, to_step, rows, static_cast<size_t>(row * size));
    return;
  }
  for (int64_t r = 0; r < rows; ++r, from += from_step, to += to_step)
    copy_elements(from, from_strides[last], to, to_strides[last], row, element);
}

void StridedCopy::run_transpose(const std::byte* from, std::byte* to, int64_t rows, int64_t row,
                                int64_t zeros) const {
  const int64_t from_row = from_strides.back(), to_row = to_strides[sizes.size() - 2];
  switch (element) {
    case 1: return transpose<uint8_t>(from, from_row, to, to_row, rows, row);
    case 2: return transpose<uint16_t>(from, from_row, to, to_row, rows, row);
    case 4:
      return loops_->transpose(at<float>(from), from_row, at<float>(to), to_row, rows, row, zeros);
    default: return transpose<uint64_t>(from, from_row, to, to_row, rows, row);
  }
}

void TableCopy::start(size_t element_bytes, int64_t elements_a_block, size_t axes) {
  element = element_bytes;
  block = elements_a_block;
  tables.resize(axes);
  for (std::vector<int64_t>& table : tables) table.clear();
}

void TableCopy::prepare() {
  if (tables.empty()) tables.push_back({0});
  rows_ = 1;
  for (size_t i = 0; i + 1 < tables.size(); ++i) rows_ *= static_cast<int64_t>(tables[i].size());
  const std::vector<int64_t>& last = tables.back();
  row_bytes_ = static_cast<int64_t>(last.size()) * block * static_cast<int64_t>(element);
  pieces_.clear();
  pieces_.reserve(last.size());
  for (size_t i = 0; i < last.size(); ++i) {
    if (!pieces_.empty()) {
      Piece& piece = pieces_.back();
      const bool fills = piece.from < 0 && last[i] < 0;
      if (fills || (piece.from >= 0 && last[i] == piece.from + piece.count * block)) {
        piece.count++;
        continue;
      }
    }
    pieces_.push_back({static_cast<int64_t>(i), last[i] < 0 ? -1 : last[i], 1});
  }
  const bool usual = element == 1 || element == 2 || element == 4 || element == 8;
  const bool channels = element == 4 && (block == 8 || block == 16);
  scattered_ = ((block == 1 && usual) || channels) && pieces_.size() * 4 > last.size();
}

namespace {

template <class T>
void take(const std::vector<int64_t>& places, const T* from, T* to, T fill) {
  for (size_t i = 0; i < places.size(); ++i) to[i] = places[i] < 0 ? fill : from[places[i]];
}
// Blocks of channels; places are in words.
template <size_t words>
void take_blocks(const std::vector<int64_t>& places, const uint32_t* from, uint32_t* to,
                 uint32_t fill) {
  for (size_t i = 0; i < places.size(); ++i, to += words) {
    if (places[i] < 0) std::fill_n(to, words, fill);
    else std::memcpy(to, from + places[i], words * sizeof(uint32_t));
  }
}
template <class T>
void take(const std::vector<int64_t>& places, const std::byte* from, std::byte* to,
          const std::byte* fill) {
  take(places, at<T>(from), at<T>(to), fill ? *at<T>(fill) : T{0});
}

}  // namespace

void TableCopy::copy_scattered(const std::byte* from, std::byte* to, const std::byte* fill) const {
  const auto take_words = block == 16 ? take_blocks<16> : take_blocks<8>;
  if (block > 1)
    return take_words(tables.back(), at<uint32_t>(from), at<uint32_t>(to),
                      fill ? *at<uint32_t>(fill) : 0);
  switch (element) {
    case 1: return take<uint8_t>(tables.back(), from, to, fill);
    case 2: return take<uint16_t>(tables.back(), from, to, fill);
    case 4: return take<uint32_t>(tables.back(), from, to, fill);
    default: return take<uint64_t>(tables.back(), from, to, fill);
  }
}

void TableCopy::run(const std::byte* from, std::byte* to, const std::byte* fill,
                    const Threads& threads) const {
  const auto size = static_cast<int64_t>(element);
  const int tasks = tasks_for(rows_ * row_bytes_, rows_, threads);
  threads.parallel(tasks, [&](int task, int) {
    const int64_t begin = rows_ * task / tasks, end = rows_ * (task + 1) / tasks;
    for (int64_t row = begin; row < end; ++row) {
      int64_t base = 0, rest = row;
      bool outside = false;
      for (size_t axis = tables.size() - 1; axis-- > 0;) {
        const auto count = static_cast<int64_t>(tables[axis].size());
        const int64_t place = tables[axis][static_cast<size_t>(rest % count)];
        outside = outside || place < 0;
        base += place;
        rest /= count;
      }
      std::byte* out = to + row * row_bytes_;
      if (outside) {
        fill_elements(out, fill, element, row_bytes_ / size);
        continue;
      }
      if (scattered_) {
        copy_scattered(from + base * size, out, fill);
        continue;
      }
      for (const Piece& piece : pieces_) {
        std::byte* target = out + piece.to * block * size;
        if (piece.from < 0) fill_elements(target, fill, element, piece.count * block);
        else
          std::memcpy(target, from + (base + piece.from) * size,
                      static_cast<size_t>(piece.count * block * size));
      }
    }
  });
}

}  // namespace tenrec::cpu
