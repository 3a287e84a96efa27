// SPDX-License-Identifier: Apache-2.0
// What follows a convolution or matrix product in the same step: a tile program on pieces of the
// output that are still in L1. Simple ones (residual, relu, clip, gates) are recognised, since
// kernels have them built in.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "ir/expr.h"
#include "runtime/device.h"
#include "targets/cpu/run/conv.h"
#include "targets/cpu/run/threads.h"
#include "targets/cpu/run/tile_program.h"

namespace tenrec::cpu {

// activation(x + operand): what most networks need. Input 0 of the program is x.
struct SimpleEpilogue {
  int residual = -1;  // operand that is added first, counted from 0; -1: none
  Activation activation = {};
};
std::optional<SimpleEpilogue> simple_epilogue(const ExprProgram& program);

class EpilogueRunner {
 public:
  // The program's input 0 and its one output are f32; operand i is input i + 1.
  EpilogueRunner(const ExprProgram& program, Isa isa, int threads);
  // Operands: of the output's shape and layout, one element, or one value a channel ([C], [C, 1,
  // 1], [1, C, 1, 1]) or, for `columns`, a column (last axis). An invalid_engine Error otherwise.
  void reshape(const TensorView& output, std::span<const TensorView> operands, bool columns);
  // The hook, for operands as they lie now.
  Epilogue bind(std::span<const TensorView> operands);
  // Over the whole output, for kernels without a hook.
  void apply(const TensorView& output, std::span<const TensorView> operands,
             const Threads& threads);

 private:
  enum class Access : uint8_t { same, one, channel };
  struct Worker {
    std::vector<std::byte> memory;
    std::byte* workspace = nullptr;
    float* buffers = nullptr;  // a tile for each operand, then one for the ends of pieces
    std::optional<TileProgram::Registers> registers;
  };
  void run_piece(const Piece& piece);
  const float* channel_values(const float* values, float* buffer, int count, int lane) const;
  void run_tile(Worker& worker, float* data, int64_t offset, int count, int lane);
  static void hook(void* self, const Piece& piece) {
    static_cast<EpilogueRunner*>(self)->run_piece(piece);
  }

  TileProgram program_;
  std::vector<Worker> workers_;
  std::vector<Access> access_;
  std::vector<const float*> data_;
  int64_t block_ = 1;  // channels that alternate in memory
  int64_t channels_ = 0;
  int64_t inner_ = 1;  // elements of one channel (plain) or channel block (blocked)
  bool columns_ = false;
  int64_t physical_ = 0;  // elements of the output in memory
};

// Does an operand of this type fit the rules of EpilogueRunner::reshape?
bool epilogue_operand_fits(const std::vector<int64_t>& operand, const std::vector<int64_t>& output,
                           bool columns);

}  // namespace tenrec::cpu
