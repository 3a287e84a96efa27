// SPDX-License-Identifier: Apache-2.0
// An ExprProgram compiled to tile loops over numbered registers.
//
// Registers: the inputs as they lie in memory, the outputs likewise, constants, and slots of one
// tile each that are reused when their value is dead. A conv or matmul epilogue runs the same
// program on the tile it has just finished.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "ir/expr.h"
#include "targets/cpu/run/tile.h"

namespace tenrec::cpu {

class TileProgram {
 public:
  // Why a program cannot be compiled; empty if it can.
  static std::string unsupported(const ExprProgram& program);
  // A program that `unsupported` accepts; anything else is an invalid_engine Error.
  TileProgram(const ExprProgram& program, Isa isa);

  int inputs() const { return inputs_; }
  int outputs() const { return outputs_; }
  DType input_type(int i) const {
    return input_types_[static_cast<size_t>(i)];
  }  // undefined: unused
  DType output_type(int i) const { return output_types_[static_cast<size_t>(i)]; }
  int instructions() const { return static_cast<int>(code_.size()); }
  double cost() const { return cost_; }  // of an element, in simple operations

  // Bytes of memory that `prepare` needs, 64-byte aligned; one for each thread.
  size_t workspace_bytes() const;
  // Sets up a register file over `workspace`; use it with `run`.
  class Registers {
   public:
    void set_input(int i, const void* data, int step) {
      file_[static_cast<size_t>(i)] = {data, step};
    }
    void set_output(int i, void* data) { out_[static_cast<size_t>(i)] = data; }

   private:
    friend class TileProgram;
    std::vector<TileOperand> file_;  // inputs, constants, slots
    std::vector<void*> out_;         // outputs, then slots
  };
  Registers registers(std::byte* workspace) const;
  // n <= tile_elements, a multiple of tile_group. Inputs with step 1 and outputs hold n elements.
  void run(Registers& registers, int n) const;

 private:
  friend class TileCompiler;
  struct Instruction {
    TileFn fn = nullptr;
    int32_t a = -1, b = -1, c = -1;  // of Registers::file_
    int32_t to = -1;                 // of Registers::out_
  };
  int inputs_ = 0, outputs_ = 0, slots_ = 0;
  size_t slot_bytes_ = 0;
  double cost_ = 0;
  std::vector<DType> input_types_, output_types_;
  std::vector<std::byte> constants_;  // tile_splat_bytes each
  std::vector<Instruction> code_;
};

}  // namespace tenrec::cpu
