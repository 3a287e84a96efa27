// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/epilogue.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/expr_match.h"

namespace tenrec::cpu {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// The number of fn(x, number), `at` becoming x; `otherwise` where `at` is something else.
double peel(const ExprMatcher& match, int32_t& at, Fn fn, double otherwise) {
  const auto found = match.with_number(at, fn);
  if (!found) return otherwise;
  at = found->x;
  return found->number;
}

// clip(x): min and max in either order, or one of them.
struct Clip {
  double low = -infinity, high = infinity;
};
Clip peel_clip(const ExprMatcher& match, int32_t& at) {
  Clip clip;
  clip.low = peel(match, at, Fn::max, clip.low);
  clip.high = peel(match, at, Fn::min, clip.high);
  clip.low = std::max(clip.low, peel(match, at, Fn::max, clip.low));
  return clip;
}

// x * clip(slope * x + offset, low, high), x being node `at` of it; scaled and shifted by what is
// around it.
std::optional<Activation> match_gate(const ExprMatcher& match, int32_t& at) {
  int32_t product = at;
  Activation gate{.kind = Activation::Kind::gate};
  gate.shift = static_cast<float>(peel(match, product, Fn::add, 0));
  const double scale = peel(match, product, Fn::mul, 1);
  if (match.at(product).fn != Fn::mul || !(scale > 0)) return std::nullopt;
  for (const auto& [x, factor] : match.operands(product)) {
    int32_t inner = factor;
    const Clip clip = peel_clip(match, inner);
    if (clip.low == -infinity || clip.high == infinity || clip.low > clip.high) continue;
    const double offset = peel(match, inner, Fn::add, 0);
    const double slope = peel(match, inner, Fn::mul, 1);
    if (inner != x) continue;
    gate.low = static_cast<float>(scale * clip.low);
    gate.high = static_cast<float>(scale * clip.high);
    gate.slope = static_cast<float>(scale * slope);
    gate.offset = static_cast<float>(scale * offset);
    at = x;
    return gate;
  }
  return std::nullopt;
}

// relu or another clip around node `at`, which becomes what is inside.
Activation match_clip(const ExprMatcher& match, int32_t& at) {
  int32_t inner = at;
  const Clip clip = peel_clip(match, inner);
  if ((clip.low == -infinity && clip.high == infinity) || clip.low > clip.high) return {};
  at = inner;
  if (clip.low == 0 && clip.high == infinity) return {.kind = Activation::Kind::relu};
  return {.kind = Activation::Kind::clip,
          .low = static_cast<float>(clip.low),
          .high = static_cast<float>(clip.high)};
}

}  // namespace

std::optional<SimpleEpilogue> simple_epilogue(const ExprProgram& program) {
  const ExprMatcher match(program);
  SimpleEpilogue simple;
  int32_t at = program.outputs[0];
  const auto gate = match_gate(match, at);
  simple.activation = gate ? *gate : match_clip(match, at);
  if (match.is_input(at, 0)) return simple;
  if (match.at(at).fn != Fn::add) return std::nullopt;
  for (const auto& [x, other] : match.operands(at)) {
    if (match.is_input(x, 0) && match.at(other).fn == Fn::input && match.at(other).input > 0) {
      simple.residual = match.at(other).input - 1;
      return simple;
    }
  }
  return std::nullopt;
}

bool epilogue_operand_fits(std::span<const int64_t> operand, std::span<const int64_t> output,
                           bool columns) {
  if (std::ranges::equal(operand, output)) return true;
  if (element_count(operand) == 1) return operand.size() <= output.size();
  if (operand.size() > output.size()) return false;
  const size_t axis = columns ? output.size() - 1 : 1;
  const size_t shift = output.size() - operand.size();
  if (shift > axis) return false;
  for (size_t i = 0; i < operand.size(); ++i) {
    if (operand[i] != (i + shift == axis ? output[axis] : 1)) return false;
  }
  return true;
}

EpilogueRunner::EpilogueRunner(const ExprProgram& program, Isa isa, int threads)
    : program_(program, isa) {
  TENREC_CHECK(
      program_.inputs() >= 1 && program_.outputs() == 1 && program_.output_type(0) == DType::f32,
      invalid_engine, "an epilogue must turn f32 into f32");
  for (int i = 0; i < program_.inputs(); ++i) {
    TENREC_CHECK(program_.input_type(i) == DType::f32 || program_.input_type(i) == DType::undefined,
                 invalid_engine, "an epilogue's operands must be f32");
  }
  workers_.resize(static_cast<size_t>(threads));
  const size_t tile = (tile_elements + tile_group) * sizeof(float);
  for (Worker& worker : workers_) {
    const size_t workspace = (program_.workspace_bytes() + 63) / 64 * 64;
    worker.memory.resize(workspace + tile * static_cast<size_t>(program_.inputs() + 1) + 64);
    const auto address = reinterpret_cast<uintptr_t>(worker.memory.data());
    worker.workspace = worker.memory.data() + (64 - address % 64) % 64;
    worker.buffers = reinterpret_cast<float*>(worker.workspace + workspace);
    worker.registers = program_.registers(worker.workspace);
  }
}

void EpilogueRunner::reshape(const TensorView& output, std::span<const TensorView> operands,
                             bool columns) {
  TENREC_CHECK(operands.size() + 1 == static_cast<size_t>(program_.inputs()), invalid_engine,
               "an epilogue of {} operands got {}", program_.inputs() - 1, operands.size());
  const std::span<const int64_t> dims = output.dims;
  const Layout layout = layout_of(output);
  columns_ = columns;
  block_ = layout.block_axis == 1 ? layout.block : 1;
  TENREC_CHECK(dims.size() >= (columns ? 1U : 2U), invalid_engine, "an epilogue on an output of {}",
               tenrec::to_string(dims));
  channels_ = columns ? dims.back() : dims[1];
  physical_ = static_cast<int64_t>(physical_elements(output));
  inner_ = block_;
  for (size_t i = 2; i < dims.size(); ++i) inner_ *= dims[i];
  access_.clear();
  for (const TensorView& operand : operands) {
    const std::span<const int64_t> own = operand.dims;
    const bool same = same_dims(own, dims);
    TENREC_CHECK(operand.dtype == DType::f32 && epilogue_operand_fits(own, dims, columns),
                 invalid_engine, "an epilogue operand of shape {} does not fit an output of {}",
                 tenrec::to_string(own), tenrec::to_string(dims));
    if (same && layout_of(operand) == layout) access_.push_back(Access::same);
    else if (element_count(own) == 1) access_.push_back(Access::one);
    else access_.push_back(Access::channel);
    TENREC_CHECK(access_.back() != Access::channel || (layout_of(operand).is_plain() && !same),
                 invalid_engine, "an epilogue operand has another layout than the output");
  }
  data_.assign(operands.size(), nullptr);
}

Epilogue EpilogueRunner::bind(std::span<const TensorView> operands) {
  for (size_t i = 0; i < operands.size(); ++i) data_[i] = operands[i].as<float>();
  return {hook, this};
}

// What goes with `count` elements from channel (or column) `lane` on, in whole groups: where it
// lies if that will do, else in `buffer`. A tile ends with its row of columns at the latest.
const float* EpilogueRunner::channel_values(const float* values, float* buffer, int count,
                                            int lane) const {
  if (columns_) {
    if (count % tile_group == 0) return values + lane;
    std::memcpy(buffer, values + lane, static_cast<size_t>(count) * sizeof(float));
    std::fill_n(buffer + count, tile_group - count % tile_group, 0.0F);
    return buffer;
  }
  const int block = static_cast<int>(block_);
  const int used = static_cast<int>(std::min(block_, channels_ - lane));
  std::copy_n(values + lane, used, buffer);
  std::fill(buffer + used, buffer + block, 0.0F);
  for (int k = block; k < count || k % tile_group != 0; k += block)
    std::memcpy(buffer + k, buffer, static_cast<size_t>(block) * sizeof(float));
  return buffer;
}

// One tile of at most tile_elements, `lane` its first channel (or column).
void EpilogueRunner::run_tile(Worker& worker, float* data, int64_t offset, int count, int lane) {
  const int whole = (count + tile_group - 1) / tile_group * tile_group;
  const bool ragged = whole != count;
  constexpr size_t stride = tile_elements + tile_group;
  float* ends = worker.buffers + stride * static_cast<size_t>(program_.inputs());
  TileProgram::Registers& registers = *worker.registers;
  if (ragged) {
    std::memcpy(ends, data, static_cast<size_t>(count) * sizeof(float));
    std::fill(ends + count, ends + whole, 0.0F);
  }
  registers.set_input(0, ragged ? ends : data, 1);
  registers.set_output(0, ragged ? ends : data);
  for (size_t i = 0; i < access_.size(); ++i) {
    float* buffer = worker.buffers + stride * i;
    if (access_[i] == Access::same) {
      const float* from = data_[i] + offset;
      if (ragged) {
        std::memcpy(buffer, from, static_cast<size_t>(count) * sizeof(float));
        std::fill(buffer + count, buffer + whole, 0.0F);
        from = buffer;
      }
      registers.set_input(static_cast<int>(i) + 1, from, 1);
      continue;
    }
    if (access_[i] == Access::one || (block_ == 1 && !columns_)) {
      const float value = access_[i] == Access::one ? data_[i][0] : data_[i][lane];
      std::fill_n(buffer, tile_splat_bytes / sizeof(float), value);
      registers.set_input(static_cast<int>(i) + 1, buffer, 0);
      continue;
    }
    registers.set_input(static_cast<int>(i) + 1, channel_values(data_[i], buffer, count, lane), 1);
  }
  program_.run(registers, whole);
  if (ragged) std::memcpy(data, ends, static_cast<size_t>(count) * sizeof(float));
  // Pad lanes stay 0, whatever the program makes of 0.
  if (block_ > 1 && lane + block_ > channels_) {
    const auto used = static_cast<int>(channels_ - lane);
    for (int k = 0; k < count; k += static_cast<int>(block_)) {
      std::fill(data + k + used, data + k + block_, 0.0F);
    }
  }
}

void EpilogueRunner::run_piece(const Piece& piece) {
  Worker& worker = workers_[static_cast<size_t>(piece.worker)];
  for (int done = 0; done < piece.count; done += tile_elements) {
    const int count = std::min(tile_elements, piece.count - done);
    run_tile(worker, piece.data + done, piece.offset + done, count,
             columns_ ? piece.channel + done : piece.channel);
  }
}

void EpilogueRunner::apply(const TensorView& output, std::span<const TensorView> operands,
                           const Threads& threads) {
  bind(operands);
  // Rows: planes of one channel (block), or whole rows of columns.
  const int64_t row = columns_ ? channels_ : inner_;
  if (row == 0 || physical_ == 0) return;
  const int64_t rows = physical_ / row;
  const int64_t per_image = columns_ ? 1 : (channels_ + block_ - 1) / block_;
  threads.parallel(static_cast<int>(rows), [&](int task, int worker) {
    Piece piece{};
    piece.offset = task * row;
    piece.data = output.as<float>() + piece.offset;
    piece.count = static_cast<int>(row);
    piece.channel = columns_ ? 0 : static_cast<int>(task % per_image * block_);
    piece.worker = worker;
    run_piece(piece);
  });
}

}  // namespace tenrec::cpu
