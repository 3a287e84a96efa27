// SPDX-License-Identifier: Apache-2.0
#include "common/step_runner.h"

#include <sys/mman.h>

#include <cmath>
#include <cstring>
#include <map>
#include <random>

#include "ops/evaluate.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/kernels/list.h"
#include "targets/cpu/run/cpu_device.h"

namespace tenrec::test {
namespace {

constexpr size_t guard_bytes = 256;
constexpr std::byte guard_value{0xA5};

// A buffer between guards, at a 64-byte boundary, everything set to NaN.
class Buffer {
 public:
  explicit Buffer(size_t bytes)
      : bytes_(bytes), memory_(bytes + 2 * guard_bytes + 64, guard_value) {
    const auto address = reinterpret_cast<uintptr_t>(memory_.data()) + guard_bytes;
    start_ = guard_bytes + (64 - address % 64) % 64;
    std::memset(data(), 0xFF, bytes);
  }
  std::byte* data() { return memory_.data() + start_; }
  size_t bytes() const { return bytes_; }
  bool intact() const {
    for (size_t i = 0; i < memory_.size(); ++i) {
      if ((i < start_ || i >= start_ + bytes_) && memory_[i] != guard_value) return false;
    }
    return true;
  }

 private:
  size_t bytes_;
  std::vector<std::byte> memory_;
  size_t start_ = 0;
};

struct Built {
  Graph graph;
  Node* node = nullptr;
};

void build(const StepCase& c, Built& built) {
  init_ops();
  Values values;
  Types types;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (!c.inputs[i]) {
      values.push_back(nullptr);
      types.emplace_back();
      continue;
    }
    Value* value = nullptr;
    if (c.constants.count(i)) {
      value = built.graph.constant(nullptr, c.inputs[i]);
    } else {
      value = built.graph.add_input(fmt::format("in{}", i), Type::of_constant(c.inputs[i]));
      value->type.known = nullptr;
      if (c.blocked.count(i)) value->type.layout = c.layout;
    }
    values.push_back(value);
    types.push_back(value->type);
  }
  built.node = built.graph.insert(
      nullptr, c.op, values, c.bodies ? c.bodies(types) : std::vector<std::unique_ptr<Graph>>{},
      {"the_node"});
  for (Value* output : built.node->outputs()) {
    output->type.layout = c.blocked_output ? c.layout : Layout{};
    built.graph.add_output(output);
  }
}

const Kernel& kernel_named(std::string_view name) {
  for (const Kernel* kernel : cpu::kernel_list()) {
    if (kernel->name() == name) return *kernel;
  }
  fail(ErrorCode::usage, "no kernel \"{}\"", name);
}

DeviceInfo device_info(const StepCase& c) {
  const cpu::Isa isa = cpu::isa_of(c.device).value_or(cpu::best_isa());
  DeviceInfo info;
  info.target = "cpu";
  info.fingerprint = cpu::fingerprint_of(isa);
  info.channel_block = cpu::block_of(isa);
  info.vector_floats = cpu::block_of(isa);
  return info;
}

// Memory that ends where an unreadable page begins: reading behind an input stops the test.
class EdgeBuffer {
 public:
  explicit EdgeBuffer(size_t bytes) : pages_((bytes + page - 1) / page * page + page) {
    memory_ = mmap(nullptr, pages_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TENREC_ASSERT(memory_ != MAP_FAILED);
    std::byte* const edge = static_cast<std::byte*>(memory_) + pages_ - page;
    TENREC_ASSERT(mprotect(edge, page, PROT_NONE) == 0);
    data_ = edge - bytes;
  }
  EdgeBuffer(const EdgeBuffer&) = delete;
  EdgeBuffer& operator=(const EdgeBuffer&) = delete;
  ~EdgeBuffer() { munmap(memory_, pages_); }
  std::byte* data() { return data_; }

 private:
  static constexpr size_t page = 4096;
  size_t pages_;
  void* memory_ = nullptr;
  std::byte* data_ = nullptr;
};

// One argument with everything its view points to.
struct Argument {
  plan::ValueDef def;
  Dims dims;
  std::unique_ptr<Buffer> buffer;
  std::unique_ptr<EdgeBuffer> edge;  // inputs, when nothing is written to them
  Datum datum;
  TensorView view;
};

std::unique_ptr<Argument> argument(DType dtype, Dims dims, const Layout& layout) {
  auto made = std::make_unique<Argument>();
  made->dims = std::move(dims);
  made->def.dtype = dtype;
  made->def.block_axis = layout.block_axis;
  made->def.block = layout.block;
  made->def.channels_last = layout.channels_last;
  made->view.dtype = dtype;
  made->view.dims = made->dims;
  made->view.def = &made->def;
  made->buffer = std::make_unique<Buffer>(byte_size(dtype, physical_elements(made->dims, layout)));
  made->view.data = made->buffer->data();
  return made;
}

struct Running {
  plan::Plan plan;
  std::vector<std::unique_ptr<Argument>> inputs, outputs;
  std::vector<TensorView> input_views, output_views;
  StepArgs args;
};

void add_input(Running& running, const Tensor& tensor, const Layout& layout, bool at_edge) {
  if (!tensor) {
    running.inputs.push_back(std::make_unique<Argument>());
    return;
  }
  running.inputs.push_back(argument(tensor.dtype(), tensor.dims(), layout));
  Argument& input = *running.inputs.back();
  if (at_edge) {
    input.edge = std::make_unique<EdgeBuffer>(input.buffer->bytes());
    input.view.data = input.edge->data();
  }
  store_tensor(tensor, input.view);
}

std::string pad_problem(const Argument& output) {
  const Tensor plain = tensor_of(output.view);
  Argument again;
  const auto copy = argument(output.view.dtype, output.dims, layout_of(output.view));
  store_tensor(plain, copy->view);
  return std::memcmp(copy->view.data, output.view.data, copy->buffer->bytes()) == 0
             ? ""
             : "pad lanes are not zero";
}

// What the draft's inputs are: the case's tensors and the draft's weights.
Tensors input_tensors(const StepCase& c, const Node& node, const StepDraft& draft) {
  Tensors tensors;
  for (const StepArg& arg : draft.inputs) {
    size_t index = 0;
    while (arg.value && (!c.inputs[index] || node.input(index) != arg.value)) ++index;
    tensors.push_back(arg.value ? c.inputs.at(index) : arg.weight);
  }
  return tensors;
}

// `in_place`: output 0 lies where the input that the draft offers does.
void add_arguments(Running& running, const StepDraft& draft, const Tensors& inputs,
                   const Tensors& outputs, bool in_place) {
  for (size_t i = 0; i < draft.inputs.size(); ++i) {
    const Value* value = draft.inputs[i].value;
    // Values of the graph may lie anywhere; weights and arena buffers begin at 64-byte boundaries.
    add_input(running, inputs[i], value ? value->type.layout : Layout{}, value && !in_place);
  }
  for (const Value* value : draft.outputs) {
    TENREC_ASSERT(value);
    const Tensor& tensor = outputs.at(value->index());
    running.outputs.push_back(argument(tensor.dtype(), tensor.dims(), value->type.layout));
  }
  if (in_place && draft.in_place >= 0)
    running.outputs[0]->view.data = running.inputs[static_cast<size_t>(draft.in_place)]->view.data;
  for (const auto* list : {&running.inputs, &running.outputs})
    for (const auto& each : *list) running.plan.values.push_back(each->def);
  for (const auto& input : running.inputs) running.input_views.push_back(input->view);
  for (const auto& output : running.outputs) running.output_views.push_back(output->view);
  running.args.inputs = running.input_views;
  running.args.outputs = running.output_views;
}

plan::Step step_on(const StepDraft& draft, const Tensors& inputs) {
  plan::Step step = step_of(draft);
  step.origins = {"the_node"};
  for (size_t i = 0; i < inputs.size(); ++i)
    step.inputs.push_back(inputs[i] ? static_cast<int32_t>(i) : plan::none);
  for (size_t i = 0; i < draft.outputs.size(); ++i)
    step.outputs.push_back(static_cast<int32_t>(inputs.size() + i));
  return step;
}

// What a run did that it must not; empty: nothing.
std::string damage(const Running& running, const Tensors& inputs, bool in_place) {
  for (const auto& output : running.outputs) {
    if (!output->buffer->intact()) return "wrote outside an output";
    if (layout_of(output->view).is_plain()) continue;
    if (std::string problem = pad_problem(*output); !problem.empty()) return problem;
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i]) continue;
    if (!running.inputs[i]->buffer->intact()) return "wrote outside an input";
    if (!in_place && !(tensor_of(running.inputs[i]->view) == inputs[i])) return "changed an input";
  }
  return "";
}

Tensor copied(const Tensor& tensor) {
  Tensor copy(tensor.dtype(), tensor.dims());
  if (tensor.bytes() > 0) std::memcpy(copy.mutable_data(), tensor.data(), tensor.bytes());
  return copy;
}

}  // namespace

Tensors oracle(const StepCase& c) {
  Built built;
  build(c, built);
  Data inputs;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (c.inputs[i] && !c.constants.count(i)) inputs.emplace_back(c.inputs[i]);
  }
  Tensors outputs;
  for (const Datum& output : evaluate(built.graph, inputs)) outputs.push_back(output.tensor);
  return outputs;
}

std::string reject_of(const StepCase& c, std::string_view kernel) {
  Built built;
  build(c, built);
  return kernel_named(kernel).check(*built.node, device_info(c));
}

std::vector<std::string> tactics_of(const StepCase& c, std::string_view kernel) {
  Built built;
  build(c, built);
  Sizes sizes;
  for (const Tensor& input : c.inputs) sizes.inputs.push_back(input ? input.dims() : Dims{});
  for (const Tensor& output : oracle(c)) sizes.outputs.push_back(output.dims());
  return kernel_named(kernel).tactics(*built.node, device_info(c), sizes);
}

StepResult run_step(const StepCase& c, std::string_view kernel_name, int threads, bool in_place) {
  StepResult result;
  Built built;
  build(c, built);
  const Kernel& kernel = kernel_named(kernel_name);
  result.reject = kernel.check(*built.node, device_info(c));
  if (!result.reject.empty()) return result;
  const StepDraft draft = kernel.compile(*built.node, c.tactic, device_info(c));
  const Tensors inputs = input_tensors(c, *built.node, draft);
  Running running;
  add_arguments(running, draft, inputs, oracle(c), in_place);
  cpu::CpuDevice device(
      {.threads = threads, .index = 0, .memory_limit = 0, .fingerprint = c.device});
  const auto runner = device.prepare(running.plan, step_on(draft, inputs));
  runner->reshape(running.args);
  Buffer scratch(runner->workspace_bytes());
  running.args.scratch = {scratch.data(), scratch.bytes()};
  runner->run(running.args);

  for (const auto& output : running.outputs)
    result.outputs.push_back(copied(tensor_of(output->view)));
  result.problem =
      scratch.intact() ? damage(running, inputs, in_place) : "wrote outside the scratch";
  if (in_place || !result.problem.empty()) return result;
  runner->run(running.args);
  for (size_t i = 0; i < running.outputs.size(); ++i) {
    const Tensor again = tensor_of(running.outputs[i]->view);
    if (std::memcmp(again.data(), result.outputs[i].data(), again.bytes()) != 0)
      result.problem = "the second run differs";
  }
  return result;
}

namespace {

double tolerance_of(const StepCase& c, DType dtype) {
  if (c.tolerance >= 0) return c.tolerance;
  const Accuracy& accuracy = c.op.info().accuracy;
  double unit = 0x1p-23;
  if (dtype == DType::f64) unit = 0x1p-52;
  if (dtype == DType::f16) unit = 0x1p-10;
  if (dtype == DType::bf16) unit = 0x1p-7;
  return accuracy.kind == Accuracy::Kind::exact ? 0 : unit * std::max(accuracy.ulps, 1.0) * 4;
}

void expect_near(const Tensor& got, const Tensor& expected, double tolerance) {
  ASSERT_EQ(got.dtype(), expected.dtype());
  ASSERT_EQ(got.dims(), expected.dims());
  if (!is_float(expected.dtype())) {
    EXPECT_EQ(got.to_ints(), expected.to_ints());
    return;
  }
  const std::vector<double> a = got.to_doubles(), b = expected.to_doubles();
  double largest = 0;
  for (const double value : b) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  int shown = 0;
  for (size_t i = 0; i < a.size() && shown < 5; ++i) {
    const bool same = std::isnan(b[i])
                          ? std::isnan(a[i])
                          : a[i] == b[i] || std::abs(a[i] - b[i]) <= tolerance * largest;
    if (!same) {
      ADD_FAILURE() << "element " << i << ": got " << a[i] << ", expected " << b[i]
                    << ", tolerance " << tolerance * largest;
      ++shown;
    }
  }
}

}  // namespace

void check_step(const StepCase& c, std::string_view kernel) {
  std::string text = fmt::format("{} on {}:", kernel, c.op.name());
  for (const Tensor& input : c.inputs)
    text += input ? fmt::format(" {}{}", name(input.dtype()), to_string(input.dims())) : " none";
  if (c.layout.block > 0) text += fmt::format(" block {}", c.layout.block);
  SCOPED_TRACE(text);
  const StepResult one = run_step(c, kernel, 1);
  ASSERT_EQ(one.reject, "");
  EXPECT_EQ(one.problem, "");
  const Tensors expected = oracle(c);
  ASSERT_LE(one.outputs.size(), expected.size());
  for (size_t i = 0; i < one.outputs.size(); ++i) {
    expect_near(one.outputs[i], expected[i], tolerance_of(c, expected[i].dtype()));
  }
  const StepResult three = run_step(c, kernel, 3);
  EXPECT_EQ(three.problem, "");
  const StepResult shared = run_step(c, kernel, 1, true);
  EXPECT_EQ(shared.problem, "");
  for (size_t i = 0; i < one.outputs.size(); ++i) {
    const Tensor& first = one.outputs[i];
    EXPECT_EQ(std::memcmp(first.data(), three.outputs[i].data(), first.bytes()), 0)
        << "3 threads differ from 1";
    EXPECT_EQ(std::memcmp(first.data(), shared.outputs[i].data(), first.bytes()), 0)
        << "in place differs";
  }
}

void check_every_tactic(StepCase c, std::string_view kernel) {
  ASSERT_EQ(reject_of(c, kernel), "") << kernel;
  for (std::string& tactic : tactics_of(c, kernel)) {
    SCOPED_TRACE(tactic);
    c.tactic = std::move(tactic);
    check_step(c, kernel);
  }
}

Tensor random_tensor(DType dtype, Dims dims, double low, double high, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(low, high);
  std::vector<double> values(element_count(dims));
  for (double& value : values) value = uniform(random);
  if (is_float(dtype)) return Tensor::from_doubles(dtype, std::move(dims), values);
  std::vector<int64_t> whole(values.size());
  for (size_t i = 0; i < values.size(); ++i) whole[i] = static_cast<int64_t>(std::floor(values[i]));
  return Tensor::from_ints(dtype, std::move(dims), whole);
}

Tensor ints(std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return Tensor::of({count}, values);
}

}  // namespace tenrec::test
