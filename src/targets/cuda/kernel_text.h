// SPDX-License-Identifier: Apache-2.0
// Building a step of the family "kernels": texts, their arguments, grids and scratch.
//
//   StepWriter step(draft);
//   KernelText kernel(step, "relu");
//   const std::string x = kernel.input(0), y = kernel.output(0), n = kernel.dim(count);
//   kernel.body = fmt::format("const idx i = ...; if (i < {}) {}[i] = ...", n, y, ...);
//   step.launch(kernel, ceildiv(count, 256), 256);
//   return step.finish();
#pragma once
#include <map>
#include <string>
#include <vector>

#include "targets/cuda/loops.h"
#include "targets/cuda/run/kernels.h"
#include "targets/target.h"

namespace tenrec::cuda {

class StepWriter;

constexpr int block_threads = 256;

std::vector<std::string> numbered(const std::string& prefix, size_t count);  // "i0", "i1", ...

// One kernel. Sizes that are numbers stand in the text, others are arguments.
class KernelText {
 public:
  KernelText(StepWriter& step, std::string entry);

  // Names of parameters, made when first asked for; pointers to elements as they lie in memory.
  std::string input(size_t i);
  std::string output(size_t i);
  std::string scratch(const Dim& offset, const std::string& type);
  std::string dim(const Dim& dim);
  // Makes offsets 64 bits wide where a tensor of so many elements may need it.
  void reach(const Dim& elements);
  void reach_all();  // of all inputs and outputs of the step

  // `variables` become the index of each loop for the flat index `flat`, innermost fastest.
  std::string unflatten(const std::string& flat, const Shape& sizes,
                        const std::vector<std::string>& variables);
  // Statements that give `i`, the thread's number, to the first `count` threads; the others leave.
  // StepWriter::launch_flat starts them.
  std::string flat_index(const Dim& count);
  // offset + sum of strides[i] * variables[i]
  std::string offset(const Walk& walk, const std::vector<std::string>& variables);

  std::string functions;  // before the kernel
  std::string body;       // statements; two spaces in
  int cluster = 1;        // blocks along x that share their memory; sm_90 and later

 private:
  friend class StepWriter;
  std::string parameter(const std::string& type, const std::string& name, Argument argument);
  std::string text(int threads) const;

  StepWriter& step_;
  std::string entry_;
  bool wide_ = false;
  std::vector<std::pair<std::string, Argument>> parameters_;  // "const float* in0"
  std::map<std::string, size_t> known_;
};

class StepWriter {
 public:
  explicit StepWriter(StepDraft draft);
  // The step's memory arguments, as kernels name them.
  size_t add_input(StepArg arg);
  const StepDraft& draft() const { return draft_; }
  int32_t size(const Dim& dim);       // number of the size in the step
  Dim add_scratch(const Dim& bytes);  // offset of new scratch, 256-byte aligned
  void launch(const KernelText& kernel, const Dim& grid_x, int threads, const Dim& grid_y = 1,
              const Dim& grid_z = 1, int shared = 0);
  void launch_flat(const KernelText& kernel, const Dim& count);
  // After the last launch so far: dims of an output; a negative constant -1 - i stands for the
  // i-th long long in the scratch.
  void resize(size_t output, const std::vector<Dim>& dims, const std::vector<int>& counts);
  StepDraft finish();

 private:
  StepDraft draft_;
  KernelParams params_;
  Dim scratch_ = 0;
};

}  // namespace tenrec::cuda
