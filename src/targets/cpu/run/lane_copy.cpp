// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/lane_copy.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"

namespace tenrec::cpu {
namespace {

constexpr int64_t parallel_bytes = 128 << 10;  // worth waking the other threads for
constexpr int64_t most_lanes = 16;

PerAxis without(const PerAxis& all, size_t axis) {
  PerAxis kept;
  for (size_t i = 0; i + 1 < all.size(); ++i) {
    if (i != axis) kept.push_back(all[i]);
  }
  return kept;
}

}  // namespace

void LaneCopy::start(size_t output, size_t element, const PerAxis& physical, size_t axis,
                     int64_t block) {
  TENREC_CHECK(block <= most_lanes, invalid_engine, "a copy in blocks of {}", block);
  const PerAxis strides = dense_strides(physical);
  output_ = output;
  element_ = element;
  axis_ = axis;
  block_ = block;
  block_stride_ = strides[axis];
  blocks_ = physical[axis];
  inputs_.clear();
  pieces_.clear();
  nest_.sizes = without(physical, axis);
  nest_.strides.clear();
  nest_.strides.push_back(without(strides, axis));
}

void LaneCopy::add(size_t input, const PerAxis& strides, int64_t offset, int64_t from, int64_t to,
                   int64_t count) {
  const size_t source = inputs_.size();
  inputs_.push_back(input);
  nest_.strides.insert(nest_.strides.end() - 1, without(strides, axis_));
  for (int64_t done = 0, lanes = 0; done < count; done += lanes) {
    const int64_t here = (from + done) % block_, there = (to + done) % block_;
    lanes = std::min(block_ - std::max(here, there), count - done);
    const int64_t place = offset + (from + done) / block_ * strides[axis_] + here - there;
    pieces_.push_back({source, (to + done) / block_, place, static_cast<int>(there),
                       static_cast<int>(there + lanes)});
  }
}

void LaneCopy::prepare(const CopyLoops& loops) {
  loops_ = &loops;
  nest_.collapse();
}

// Threads have the same pixels of every block, as convolutions share them out.
void LaneCopy::run(std::span<const TensorView> inputs, std::span<const TensorView> outputs,
                   const Threads& threads) const {
  std::byte* to = outputs[output_].data;
  const int64_t rows = nest_.rows(), pixels = nest_.sizes.back();
  const int64_t bytes = rows * pixels * blocks_ * block_ * static_cast<int64_t>(element_);
  if (bytes == 0) return;
  const int tasks = bytes < parallel_bytes
                        ? 1
                        : static_cast<int>(std::min<int64_t>(rows * pixels, threads.count()));
  threads.parallel(tasks, [&](int task, int) {
    if (pixels >= tasks) {
      for (int64_t row = 0; row < rows; ++row)
        run_part(inputs, to, row, pixels * task / tasks, pixels * (task + 1) / tasks);
      return;
    }
    for (int64_t row = rows * task / tasks; row < rows * (task + 1) / tasks; ++row)
      run_part(inputs, to, row, 0, pixels);
  });
}

// Pixels [begin, end) of one row of the nest, block by block.
void LaneCopy::run_part(std::span<const TensorView> inputs, std::byte* to, int64_t row,
                        int64_t begin, int64_t end) const {
  const auto size = static_cast<int64_t>(element_);
  const auto steps = [&](size_t source) { return nest_.strides[source].back(); };
  const size_t result = inputs_.size();
  std::byte* first = to + (offset(result, row) + begin * steps(result)) * size;
  for (auto piece = pieces_.begin(); piece != pieces_.end();) {
    const int64_t block = piece->block;
    std::array<LanePiece, most_lanes> parts;
    size_t count = 0;
    for (; piece != pieces_.end() && piece->block == block; ++piece) {
      const size_t source = piece->source;
      const int64_t place = piece->offset + offset(source, row) + begin * steps(source);
      parts[count++] = {inputs[inputs_[source]].data + place * size, steps(source) * size,
                        piece->first, piece->last};
    }
    const std::span<const LanePiece> given(parts.data(), count);
    std::byte* at = first + block * block_stride_ * size;
    if (size == 4 && block_ == loops_->block)
      loops_->join_lanes(given, end - begin, at, steps(result) * size);
    else join_elements(given, end - begin, at, steps(result) * size);
  }
}

int64_t LaneCopy::offset(size_t source, int64_t row) const {
  const PerAxis& strides = nest_.strides[source];
  int64_t offset = 0;
  for (size_t axis = nest_.sizes.size() - 1; axis-- > 0;) {
    offset += row % nest_.sizes[axis] * strides[axis];
    row /= nest_.sizes[axis];
  }
  return offset;
}

void LaneCopy::join_elements(std::span<const LanePiece> pieces, int64_t count, std::byte* to,
                             int64_t to_step) const {
  const auto bytes = [&](int64_t lanes) { return static_cast<size_t>(lanes) * element_; };
  for (int64_t i = 0; i < count; ++i, to += to_step) {
    std::memset(to, 0, bytes(block_));
    for (const LanePiece& piece : pieces) {
      std::memcpy(to + bytes(piece.first), piece.from + i * piece.step + bytes(piece.first),
                  bytes(piece.last - piece.first));
    }
  }
}

}  // namespace tenrec::cpu
