// SPDX-License-Identifier: Apache-2.0
// Squeeze and excitation in one launch, a cluster of blocks an image (device/squeeze_excite.cuh);
// of large images in three, where many blocks add up and scale. Nothing is rounded between the
// image and the result, as in every epilogue.
#include "targets/cuda/kernels/squeeze_excite.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "ops/fused.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/gemm_node.h"
#include "targets/cuda/kernels/group_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

constexpr int64_t cluster_blocks = 8;       // what every GPU with clusters takes
constexpr int64_t most_threads = 1024;      // of a block
constexpr int64_t many_weights = 64 << 10;  // of one product; they want many threads
constexpr int64_t alone_bytes = 256 << 10;  // of both products' weights that one block reads
constexpr int64_t large_bytes = 128 << 10;  // of an image that one block reads
constexpr int64_t small_bytes = 64 << 10;   // one launch is always quicker
constexpr int64_t most_parts = 1024;

int64_t divided(int64_t x, int64_t by) { return (x + by - 1) / by; }

int64_t round_up(int64_t x, int64_t to) { return divided(x, to) * to; }

// How the work is cut; as in the device code.
struct Cut {
  int64_t threads = most_threads, blocks = 1;  // in a block; that work on an image
  int64_t channels = 0, hidden = 0;
  int64_t lanes = 1;         // channels that a thread reads at once
  int64_t weight_lanes = 1;  // weights in 16 bytes

  int64_t vectors() const { return channels / lanes; }
  // Warps side by side on a row of a product.
  int64_t slices(int64_t inputs) const { return divided(divided(inputs, weight_lanes), 32); }
  int shared_bytes() const {
    const int64_t own = round_up(channels, 4), row = round_up(channels, 8);
    const int64_t sums = threads / vectors() * (own + (own / 4 % 2 == 0 ? 4 : 0));
    const int64_t products = std::max(slices(channels) * divided(hidden, blocks),
                                      slices(hidden) * divided(channels, blocks));
    const int64_t floats =
        round_up(std::max(sums, products), 4) + (blocks + 2) * row + round_up(hidden, 8);
    return static_cast<int>(floats * 4);
  }
  Reject problem(int64_t most_shared) const {
    // Sums that lie in scratch are read as 16 bytes of floats.
    const int64_t most_vectors = channels / std::min<int64_t>(lanes, 4);
    if (std::max({most_vectors, slices(channels) * 32, slices(hidden) * 32}) > threads)
      return "too many channels for a block's threads";
    return shared_bytes() > most_shared ? "too many channels for shared memory" : "";
  }
};

Cut cut_of(const SqueezeExcite& block, const DeviceInfo& device) {
  Cut cut;
  cut.blocks = capability(device) >= 90 ? cluster_blocks : 1;
  cut.channels = block.gate.outputs();
  cut.hidden = block.hidden.outputs();
  cut.weight_lanes = 128 / bit_width(block.x->type.dtype);
  cut.lanes = cut.weight_lanes;
  while (cut.channels % cut.lanes != 0) cut.lanes /= 2;
  return cut;
}

int64_t most_shared(const DeviceInfo& device) {
  return capability(device) >= 90 ? 200 << 10 : 96 << 10;
}

// Rows of whole 16 bytes.
Tensor padded(const Tensor& weights) {
  const auto bytes = static_cast<size_t>(bit_width(weights.dtype()) / 8);
  const int64_t rows = weights.dims()[0], columns = weights.dims()[1];
  const int64_t wide = round_up(columns, static_cast<int64_t>(16 / bytes));
  Tensor result(weights.dtype(), {rows, wide});
  for (int64_t i = 0; i < rows; ++i)
    std::memcpy(result.mutable_data() + static_cast<size_t>(i * wide) * bytes,
                weights.data() + static_cast<size_t>(i * columns) * bytes,
                static_cast<size_t>(columns) * bytes);
  return result;
}

Tensor table_of(const VectorProduct& product) {
  std::vector<double> all;
  for (const Tensor& row : product.rows) {
    const std::vector<double> numbers = row.to_doubles();
    all.insert(all.end(), numbers.begin(), numbers.end());
  }
  return Tensor::from_doubles(DType::f32,
                              {static_cast<int64_t>(product.rows.size()), product.outputs()}, all);
}

class Writer {
 public:
  Writer(const SqueezeExcite& block, const Cut& cut, StepWriter& step)
      : block_(block),
        step_(step),
        dtype_(block.x->type.dtype),
        stored_(storage_type(dtype_)),
        cut_(cut),
        images_(block.x->type.shape[0]),
        scaled_(!block.scale.nodes.empty()) {
    for (const VectorProduct* product : {&block.hidden, &block.gate}) {
      weights_.push_back(step.add_input({nullptr, padded(product->weights)}));
      tables_.push_back(product->rows.empty() ? 0 : step.add_input({nullptr, table_of(*product)}));
    }
  }

  // All in one launch.
  void write_one() {
    KernelText kernel(step_, "squeeze_excite");
    begin(kernel, cut_.blocks);
    kernel.body +=
        fmt::format("  const auto range = excite::share_of<{}>(pixels, block);\n", cut_.blocks);
    kernel.body += image(kernel);
    const std::string gates = scaled_ ? "memory + C::gates_at" : "";
    squeeze(kernel, cut_, "x, range, pixels", load(dtype_), gates);
    if (scaled_) {
      kernel.functions += emit_function(block_.scale, "scale_of");
      kernel.body += fmt::format(
          "  excite::arrive<{0}>();\n  excite::wait<{0}>();\n"
          "  excite::scale_pixels<{1}, {2}, {3}>(x, {4} + image * (pixels * {2}), range, "
          "memory + C::gates_at, {5});\n",
          cut_.blocks, cut_.threads, cut_.channels, cut_.lanes, kernel.output(0), scale());
    }
    launch(kernel, cut_.blocks, cut_);
  }

  // Many blocks add up an image, one cluster computes its gates, many blocks scale it.
  void write_parts(int64_t parts) {
    const Dim sums = step_.add_scratch(images_ * Dim(parts * cut_.channels * 4));
    const Dim gates = step_.add_scratch(images_ * Dim(cut_.channels * 4));
    write_sums(parts, sums);
    write_gates(parts, sums, gates);
    if (scaled_) write_scaled(gates);
  }

 private:
  // `block` of `count` that work on `image`.
  void begin(KernelText& kernel, int64_t count) {
    kernel.reach_all();
    kernel.functions = "#include \"squeeze_excite.cuh\"\n";
    kernel.body = fmt::format(
        "  extern __shared__ __align__(16) float memory[];\n"
        "  const int block = blockIdx.x % {0};\n  const idx image = blockIdx.x / {0};\n"
        "  const idx pixels = {1};\n",
        count, kernel.dim(block_.pixels()));
  }

  std::string image(KernelText& kernel) const {
    return fmt::format("  const {}* x = {} + image * (pixels * {});\n", stored_, kernel.input(0),
                       cut_.channels);
  }

  static std::string load(DType dtype) {
    return fmt::format("[]({} v) {{ return {}; }}", storage_type(dtype), load_text(dtype, "v"));
  }

  std::string scale() const {
    return fmt::format(
        "[]({0} v, float gate) {{ float y; scale_of({1}, gate, y); return ({0}){2}; }}", stored_,
        load_text(dtype_, "v"), store_text(dtype_, "y"));
  }

  // What follows a product, as a lambda of the sum and its number.
  std::string tail(KernelText& kernel, size_t i, const std::string& name) {
    const VectorProduct& product = i == 0 ? block_.hidden : block_.gate;
    kernel.functions += emit_function(product.program, name);
    std::string arguments = "sum";
    for (size_t k = 0; k < product.rows.size(); ++k)
      arguments += fmt::format(", {}[{} + r]", kernel.input(tables_[i]),
                               static_cast<int64_t>(k) * product.outputs());
    return fmt::format("[&](float sum, int r) {{ float y; {}({}, y); return y; }}", name,
                       arguments);
  }

  // `gates`: the place in shared memory of all blocks; empty: they are the result, or scratch.
  void squeeze(KernelText& kernel, const Cut& cut, const std::string& image,
               const std::string& load_image, const std::string& gates,
               const std::string& scratch = "") {
    const std::string hidden = tail(kernel, 0, "hidden_of"), gate = tail(kernel, 1, "gate_of");
    std::string take;
    if (!gates.empty())
      take = fmt::format("excite::give_all<{}>({} + c, gate);", cut.blocks, gates);
    else if (!scratch.empty())
      take = fmt::format("{}[image * {} + c] = gate;", scratch, cut.channels);
    else
      take = fmt::format("{}[image * {} + c] = {};", kernel.output(0), cut.channels,
                         store_text(block_.result->type.dtype, "gate"));
    kernel.body += fmt::format(
        "  using C = excite::Config<{}, {}, {}, {}, {}, {}>;\n"
        "  excite::squeeze<C>({}, {}, {}, memory, block,\n      {},\n      {},\n      {},\n      "
        "{},\n      [&](int c, float gate) {{ {} }});\n",
        stored_, cut.threads, cut.blocks, cut.channels, cut.hidden, cut.lanes, image,
        kernel.input(weights_[0]), kernel.input(weights_[1]), load_image, load(dtype_), hidden,
        gate, take);
    kernel.cluster = static_cast<int>(cut.blocks);
  }

  void launch(const KernelText& kernel, int64_t blocks, const Cut& cut) {
    step_.launch(kernel, images_ * Dim(blocks), static_cast<int>(cut.threads), 1, 1,
                 cut.shared_bytes());
  }

  void write_sums(int64_t parts, const Dim& sums) {
    KernelText kernel(step_, "squeeze_sums");
    begin(kernel, parts);
    kernel.body += image(kernel);
    kernel.body += fmt::format(
        "  using S = excite::Sums<{0}, {1}, {2}>;\n"
        "  const auto range = excite::share_of<{3}>(pixels, block);\n"
        "  S::add(x, range.first, range.end, memory, {4});\n  __syncthreads();\n"
        "  S::finish(memory, range.end - range.first, [&](int c, int lane, int, float sum) {{\n"
        "    if (lane == 0) {5}[(idx)blockIdx.x * {1} + c] = sum;\n  }});\n",
        cut_.threads, cut_.channels, cut_.lanes, parts, load(dtype_),
        kernel.scratch(sums, "float"));
    launch(kernel, parts, cut_);
  }

  void write_gates(int64_t parts, const Dim& sums, const Dim& gates) {
    Cut cut = cut_;
    cut.lanes = std::min<int64_t>(cut.lanes, 4);
    KernelText kernel(step_, "squeeze_gates");
    begin(kernel, cut.blocks);
    kernel.body += fmt::format(
        "  const float* x = {0} + image * {1};\n"
        "  const auto range = excite::share_of<{2}>({3}, block);\n",
        kernel.scratch(sums, "float"), parts * cut.channels, cut.blocks, parts);
    squeeze(kernel, cut, "x, range, pixels", "[](float v) { return v; }", "",
            scaled_ ? kernel.scratch(gates, "float") : "");
    launch(kernel, cut.blocks, cut);
  }

  void write_scaled(const Dim& gates) {
    KernelText kernel(step_, "scale");
    kernel.reach_all();
    kernel.functions =
        "#include \"squeeze_excite.cuh\"\n" + emit_function(block_.scale, "scale_of");
    const Dim packs = block_.pixels() * Dim(cut_.vectors());
    const Dim count = images_ * packs;
    kernel.body = kernel.flat_index(count);
    kernel.body += fmt::format(
        "  excite::scale_pack<{0}>({1}, {2}, i, {3} + i / {4} * {5} + i % {6} * {0}, {7});\n",
        cut_.lanes, kernel.input(0), kernel.output(0), kernel.scratch(gates, "float"),
        kernel.dim(packs), cut_.channels, cut_.vectors(), scale());
    step_.launch_flat(kernel, count);
  }

  const SqueezeExcite& block_;
  StepWriter& step_;
  DType dtype_;
  std::string stored_;
  Cut cut_;
  Dim images_;
  bool scaled_;
  std::vector<size_t> weights_, tables_;  // inputs of the step
};

// The block of a region.
SqueezeExcite block_in(const Node& node) {
  const auto* fused = node.as<Fused>();
  if (!fused || fused->anchor != squeeze_anchor) return {.reject = "is no squeeze and excitation"};
  for (const auto& inner : node.body(0).nodes()) {
    SqueezeExcite block = squeeze_excite_at(*inner);
    if (block.reject.empty()) return block;
  }
  return {.reject = "the region holds no squeeze and excitation"};
}

class SqueezeExciteKernel final : public Kernel {
 public:
  std::string_view name() const override { return "squeeze_excite"; }

  Reject check(const Node& node, const DeviceInfo& device) const override {
    const SqueezeExcite block = block_in(node);
    return block.reject.empty() ? squeeze_problem(block, device) : block.reject;
  }

  // One launch, unless its few blocks had to read too much. Few images want many threads where
  // there are many weights; of many images several blocks should fit on a multiprocessor.
  std::vector<std::string> tactics(const Node& node, const DeviceInfo& device,
                                   const Sizes& opt) const override {
    const SqueezeExcite block = block_in(node);
    const Dims& x = opt.inputs[block.x->index()];
    const int64_t images = std::max<int64_t>(x[0], 1);
    Cut cut = cut_of(block, device);
    const bool busy = images * cut.blocks > multiprocessors(device);
    const bool heavy = cut.channels * cut.hidden > many_weights;
    std::vector<std::string> texts;
    for (const int64_t threads : busy    ? std::array{256, 512, 1024}
                                 : heavy ? std::array{1024, 512, 256}
                                         : std::array{512, 256, 1024}) {
      cut.threads = threads;
      if (cut.problem(most_shared(device)).empty())
        texts.push_back(fmt::format("{}{}", threads_prefix, threads));
    }
    const int64_t bytes = static_cast<int64_t>(element_count(x)) / images *
                          bit_width(block.x->type.dtype) / 8 / cut.blocks;
    if (bytes <= small_bytes) return texts;
    const int64_t pixels = static_cast<int64_t>(element_count(x)) / images / cut.channels;
    const int64_t parts = std::min({int64_t{2} * multiprocessors(device) / images,
                                    divided(pixels, most_threads / cut.vectors()), most_parts});
    if (parts < 2) return texts;
    const std::string text = fmt::format("{}{}", parts_prefix, parts);
    texts.insert(bytes > large_bytes ? texts.begin() : texts.end(), text);
    return texts;
  }

  StepDraft compile(const Node& node, const std::string& tactic,
                    const DeviceInfo& device) const override {
    const SqueezeExcite block = block_in(node);
    StepDraft draft = draft_of(node, name(), tactic);
    draft.inputs = {{node.input(block.x->index()), {}}};
    StepWriter step(std::move(draft));
    Cut cut = cut_of(block, device);
    if (const int64_t parts = number_in(tactic, parts_prefix); parts > 1 && parts <= most_parts) {
      Writer(block, cut, step).write_parts(parts);
      return step.finish();
    }
    cut.threads = number_in(tactic, threads_prefix);
    TENREC_CHECK(cut.threads == 256 || cut.threads == 512 || cut.threads == most_threads, usage,
                 "\"{}\" is no tactic of squeeze and excitation; there are threads=256, 512 or "
                 "1024 and parts=N, N from 2 to {}",
                 tactic, most_parts);
    Writer(block, cut, step).write_one();
    return step.finish();
  }

 private:
  static constexpr std::string_view threads_prefix = "threads=", parts_prefix = "parts=";
};

}  // namespace

Reject squeeze_problem(const SqueezeExcite& block, const DeviceInfo& device) {
  const Type& x = block.x->type;
  const DType dtype = x.dtype;
  if (dtype != DType::f32 && dtype != DType::f16 && dtype != DType::bf16)
    return fmt::format("{} elements", name(dtype));
  if (!x.layout.channels_last) return "channels do not lie last";
  for (const VectorProduct* product : {&block.hidden, &block.gate}) {
    if (product->weights.dtype() != dtype) return "weights of another type";
    for (const Tensor& row : product->rows)
      if (!is_float(row.dtype()) || row.dtype() == DType::f64) return "an operand of another type";
    const ExprProgram& program = product->program;
    const DType result = program.nodes[static_cast<size_t>(program.outputs[0])].dtype;
    if (!is_float(result) || result == DType::f64) return "a product becomes another type";
    if (Reject reject = unsupported(program); !reject.empty()) return reject;
  }
  if (Reject reject = unsupported(block.scale); !reject.empty()) return reject;
  const Cut cut = cut_of(block, device);
  if (Reject reject = cut.problem(most_shared(device)); !reject.empty()) return reject;
  const auto bytes = block.hidden.weights.bytes() + block.gate.weights.bytes();
  if (cut.blocks == 1 && bytes > alone_bytes) return "too many weights for one block";
  return "";
}

const Kernel& squeeze_excite_kernel() {
  static const SqueezeExciteKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
