// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/run/kernels.h"

#include <algorithm>
#include <array>

#include "base/wire.h"
#include "plan/dims.h"
#include "targets/cuda/run/runners.h"

namespace tenrec::cuda {
namespace {

constexpr size_t max_arguments = 256;
constexpr int64_t max_grid_x = INT32_MAX, max_grid_yz = 65535;
constexpr int max_counts = 32;  // long longs read back from the scratch

class Kernels : public StepRunner {
 public:
  explicit Kernels(const StepSource& source)
      : environment_(source.environment), params_(decode<KernelParams>(source.step.params)) {
    check_params(source);
    for (const Launch& launch : params_.launches) {
      const plan::KernelImage& image =
          source.code[static_cast<size_t>(source.step.code[static_cast<size_t>(launch.code)])];
      launches_.push_back(
          {.function = environment_.gpu.function(image.bytes, launch.entry, launch.shared),
           .threads = launch.threads,
           .shared_bytes = launch.shared});
    }
    for (const int32_t input : source.step.inputs) {
      on_host_.push_back(lies_on_host(source.plan, input));
      any_on_host_ |= on_host_.back();
    }
    copies_.resize(on_host_.size());
    size_t most = 0;
    for (const Launch& launch : params_.launches) most = std::max(most, launch.arguments.size());
    words_.resize(most);
    pointers_.resize(most);
  }

  // Sizes as data change only with the sizes, that is, before a reshape.
  void reshape(const StepArgs& args) override {
    if (!any_on_host_) return;
    for (size_t i = 0; i < on_host_.size(); ++i) {
      if (!on_host_[i]) continue;
      const TensorView& view = args.inputs[i];
      const uint64_t bytes = plan::layout_bytes(*view.def, view.dims);
      if (!copies_[i] || copies_[i]->bytes < bytes)
        copies_[i] = environment_.device.allocate(bytes, "sizes as data");
      environment_.device.copy_from_host(copies_[i]->data, view.data, bytes);
    }
    environment_.device.synchronise();  // the host's bytes may change after this
  }

  void run(const StepArgs& args) override {
    environment_.gpu.enter();
    for (size_t i = 0; i < params_.launches.size(); ++i) {
      launch(i, args);
      if (!params_.resizes.empty()) resize(static_cast<int32_t>(i), args);
    }
  }

  bool recordable() const override { return params_.resizes.empty(); }

 private:
  void check_params(const StepSource& source) const {
    const auto in = [](int64_t value, size_t count) {
      return value >= 0 && static_cast<size_t>(value) < count;
    };
    const plan::Step& step = source.step;
    const size_t sizes = step.sizes.size();
    const auto ok = [](bool fine, std::string_view what) {
      TENREC_CHECK(fine, invalid_engine, "generated kernels: {}; rebuild the engine", what);
    };
    for (const Launch& launch : params_.launches) {
      ok(in(launch.code, step.code.size()) &&
             in(step.code[static_cast<size_t>(launch.code)], source.code.size()),
         "a launch names code that is not there");
      ok(launch.threads > 0 && launch.threads <= 1024, "a block of no or too many threads");
      ok(launch.shared >= 0 && launch.shared <= environment_.gpu.shared_bytes(),
         "more shared memory than the GPU has");
      ok(in(launch.grid_x, sizes) && (launch.grid_y == -1 || in(launch.grid_y, sizes)) &&
             (launch.grid_z == -1 || in(launch.grid_z, sizes)),
         "a grid size that is not there");
      ok(launch.arguments.size() <= max_arguments, "too many arguments");
      for (const Argument& argument : launch.arguments) check_argument(argument, step, ok);
    }
    for (const SizeRead& resize : params_.resizes) {
      ok(in(resize.after, params_.launches.size()) && in(resize.output, step.outputs.size()) &&
             step.outputs[static_cast<size_t>(resize.output)] != plan::none,
         "a resize of nothing");
      for (const int32_t dim : resize.dims)
        ok(dim >= 0 ? in(dim, sizes) : dim >= -max_counts && step.scratch != plan::none,
           "a resize by a size that is not there");
    }
    ok(params_.resizes.empty() == !decides_sizes(source.plan, step),
       "it decides sizes but does not say them, or the other way round");
  }

  template <class Ok>
  static void check_argument(const Argument& argument, const plan::Step& step, const Ok& ok) {
    const auto index = static_cast<size_t>(argument.index);
    switch (argument.kind) {
      case ArgumentKind::input:
        return ok(
            argument.index >= 0 && index < step.inputs.size() && step.inputs[index] != plan::none,
            "an input that is not there");
      case ArgumentKind::output:
        return ok(
            argument.index >= 0 && index < step.outputs.size() && step.outputs[index] != plan::none,
            "an output that is not there");
      case ArgumentKind::scratch:
        return ok(step.scratch != plan::none &&
                      (argument.index == -1 || (argument.index >= 0 && index < step.sizes.size())),
                  "scratch that is not there");
      case ArgumentKind::size32:
      case ArgumentKind::size64:
        return ok(argument.index >= 0 && index < step.sizes.size(), "a size that is not there");
    }
    ok(false, "an unknown kind of argument");
  }

  uint64_t word(const Argument& argument, const StepArgs& args) const {
    const auto index = static_cast<size_t>(argument.index);
    switch (argument.kind) {
      case ArgumentKind::input:
        return reinterpret_cast<uint64_t>(on_host_[index] ? copies_[index]->data
                                                          : args.inputs[index].data);
      case ArgumentKind::output: return reinterpret_cast<uint64_t>(args.outputs[index].data);
      case ArgumentKind::scratch: {
        const int64_t offset = argument.index < 0 ? 0 : args.sizes[index];
        return reinterpret_cast<uint64_t>(args.scratch.data()) + static_cast<uint64_t>(offset);
      }
      case ArgumentKind::size32: {
        const int64_t size = args.sizes[index];
        TENREC_CHECK(size == static_cast<int32_t>(size), invalid_input,
                     "a size of {} is too large for this engine; build it with a profile whose "
                     "maximum includes it",
                     size);
        return static_cast<uint32_t>(static_cast<int32_t>(size));
      }
      case ArgumentKind::size64: return static_cast<uint64_t>(args.sizes[index]);
    }
    return 0;
  }

  static unsigned grid(int32_t index, int64_t most, const StepArgs& args) {
    const int64_t size = index < 0 ? 1 : args.sizes[static_cast<size_t>(index)];
    TENREC_CHECK(size <= most, invalid_input, "a grid of {} blocks is too large; at most {} fit",
                 size, most);
    return size < 0 ? 0 : static_cast<unsigned>(size);
  }

  void launch(size_t i, const StepArgs& args) {
    const Launch& launch = params_.launches[i];
    KernelLaunch& kernel = launches_[i];
    kernel.grid[0] = grid(launch.grid_x, max_grid_x, args);
    kernel.grid[1] = grid(launch.grid_y, max_grid_yz, args);
    kernel.grid[2] = grid(launch.grid_z, max_grid_yz, args);
    if (kernel.grid[0] == 0 || kernel.grid[1] == 0 || kernel.grid[2] == 0) return;
    for (size_t k = 0; k < launch.arguments.size(); ++k) {
      words_[k] = word(launch.arguments[k], args);
      pointers_[k] = &words_[k];
    }
    environment_.launcher.launch(kernel, pointers_.data());
  }

  void resize(int32_t after, const StepArgs& args) {
    bool due = false;
    for (const SizeRead& resize : params_.resizes) due |= resize.after == after;
    if (!due) return;
    std::array<int64_t, max_counts> counts{};
    const uint64_t bytes = std::min<uint64_t>(sizeof counts, args.scratch.size() / 8 * 8);
    environment_.device.copy_to_host(counts.data(), args.scratch.data(), bytes);
    for (const SizeRead& resize : params_.resizes) {
      if (resize.after != after) continue;
      std::vector<int64_t> dims;
      for (const int32_t dim : resize.dims)
        dims.push_back(dim >= 0 ? args.sizes[static_cast<size_t>(dim)]
                                : counts[static_cast<size_t>(-1 - dim)]);
      (*args.resize_output)(static_cast<size_t>(resize.output), dims);
    }
  }

  RunEnvironment& environment_;
  KernelParams params_;
  std::vector<KernelLaunch> launches_;
  std::vector<bool> on_host_;
  bool any_on_host_ = false;
  std::vector<std::unique_ptr<DeviceMemory>> copies_;  // of inputs that lie on the host
  std::vector<uint64_t> words_;
  std::vector<void*> pointers_;
};

}  // namespace

Runner prepare_kernels(const StepSource& source) { return std::make_unique<Kernels>(source); }

}  // namespace tenrec::cuda
