// SPDX-License-Identifier: Apache-2.0
// Every tactic of the product, convolution and attention families on a GPU against the interpreter.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <random>

#include "base/error.h"
#include "ir/graph.h"
#include "ops/attention.h"
#include "ops/conv.h"
#include "ops/elementwise.h"
#include "ops/evaluate.h"
#include "ops/fused.h"
#include "ops/matmul.h"
#include "ops/slice.h"
#include "runtime/device.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cuda/attention_regions.h"
#include "targets/cuda/run/driver.h"
#include "targets/target.h"

namespace tenrec {
namespace {

Tensor random_tensor(DType dtype, const Dims& dims, double scale, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(element_count(dims));
  for (double& value : values) value = normal(random) * scale;
  return Tensor::from_doubles(dtype, dims, values);
}

struct Case {
  std::string name;
  Graph graph;
  Node* node = nullptr;
  std::map<const Value*, Tensor> inputs;
  Tensors list;
  double tolerance = 0;
};

double unit(DType dtype) {
  return dtype == DType::f16 ? 0x1p-11 : dtype == DType::bf16 ? 0x1p-8 : 0x1p-24;
}

Value* input(Case& c, Tensor tensor, Layout layout) {
  Value* value = c.graph.add_input("", Type::of_constant(tensor));
  value->type.known = nullptr;
  value->type.layout = layout;
  c.inputs[value] = tensor;
  c.list.push_back(tensor);
  return value;
}

enum class Last { none, relu, residual, residual_relu, gelu, scale_relu };

// Anchor and what follows it as a region.
void finish(Case& c, const Op& anchor, Values inputs, Last last, Layout layout, DType dtype,
            bool by_column) {
  auto body = std::make_unique<Graph>();
  Values inner;
  for (Value* value : inputs) inner.push_back(body->add_input("", value->type));
  Node* node = body->insert(nullptr, anchor, inner);
  Value* y = node->output();
  y->type.layout = layout;
  const Dims dims = static_dims(y->type.shape);
  const auto then = [&](const Op& op, Values in) {
    y = body->insert(nullptr, op, std::move(in))->output();
    y->type.layout = layout;
  };
  if (last == Last::scale_relu) {
    Dims one(dims.size(), 1);
    one[by_column ? dims.size() - 1 : 1] = by_column ? dims.back() : dims[1];
    Tensor scale = random_tensor(dtype, one, 1, 77);
    Value* outer = c.graph.constant(nullptr, scale);
    inputs.push_back(outer);
    then(Mul{}, {y, body->add_input("", outer->type)});
  }
  if (last == Last::residual || last == Last::residual_relu) {
    Value* outer = input(c, random_tensor(dtype, dims, 1, 99), layout);
    inputs.push_back(outer);
    then(Add{}, {y, body->add_input("", outer->type)});
  }
  if (last == Last::relu || last == Last::residual_relu || last == Last::scale_relu)
    then(Relu{}, {y});
  if (last == Last::gelu) then(Gelu{}, {y});
  if (last == Last::none) {
    c.node = c.graph.insert(nullptr, anchor, inputs);
  } else {
    body->add_output(y);
    std::vector<std::unique_ptr<Graph>> bodies;
    bodies.push_back(std::move(body));
    c.node = c.graph.insert(nullptr, Fused{.anchor = std::string(anchor.name())}, inputs,
                            std::move(bodies));
  }
  c.node->output()->type.layout = layout;
  c.graph.add_output(c.node->output());
}

struct Layer {
  int64_t images, h, w, in, out, kh, kw, stride, pad, dilation, groups = 1;
};

std::unique_ptr<Case> conv_case(DType dtype, const Layer& l, Last last, bool nhwc,
                                bool stem = false) {
  auto c = std::make_unique<Case>();
  const Layout layout{-1, 0, nhwc};
  const double k = double(l.in / l.groups * l.kh * l.kw);
  Value* x =
      input(*c, random_tensor(dtype, {l.images, l.in, l.h, l.w}, 1, 1), stem ? Layout{} : layout);
  Value* w = c->graph.constant(
      nullptr, random_tensor(dtype, {l.out, l.in / l.groups, l.kh, l.kw}, 1 / std::sqrt(k), 2));
  Value* b = c->graph.constant(nullptr, random_tensor(dtype, {l.out}, 1, 3));
  const Conv op{.dilations = {l.dilation, l.dilation},
                .group = l.groups,
                .pads = {l.pad, l.pad, l.pad, l.pad},
                .strides = {l.stride, l.stride}};
  c->name = fmt::format("conv {} {}x{}x{}x{} > {} k{}x{} s{} p{} d{} g{} {}{} last {}", name(dtype),
                        l.images, l.in, l.h, l.w, l.out, l.kh, l.kw, l.stride, l.pad, l.dilation,
                        l.groups, nhwc ? "nhwc" : "nchw", stem ? " stem" : "", int(last));
  finish(*c, op, {x, w, b}, last, layout, dtype, false);
  // Rounded once here, at each operator there; f32 sums of k products.
  c->tolerance = 4 * unit(dtype) + k * 0x1p-24;
  return c;
}

std::unique_ptr<Case> product_case(DType dtype, Dims a, Dims b, bool constant, Last last) {
  auto c = std::make_unique<Case>();
  const double k = double(a.back());
  Value* x = input(*c, random_tensor(dtype, a, 1, 1), {});
  const Tensor tensor = random_tensor(dtype, b, 1 / std::sqrt(k), 2);
  Value* w = constant ? c->graph.constant(nullptr, tensor) : input(*c, tensor, {});
  c->name = fmt::format("matmul {} {} {}{} last {}", name(dtype), to_string(a), to_string(b),
                        constant ? "c" : "", int(last));
  finish(*c, MatMul{}, {x, w}, last, {}, dtype, true);
  c->tolerance = 4 * unit(dtype) + k * 0x1p-24;
  return c;
}

std::unique_ptr<Case> attention_case(DType dtype, int64_t n, int64_t heads, int64_t q, int64_t keys,
                                     int64_t size, DType mask, bool causal, bool packed) {
  auto c = std::make_unique<Case>();
  const auto dims = [&](int64_t length) {
    return packed ? Dims{n, length, heads * size} : Dims{n, heads, length, size};
  };
  Values in{input(*c, random_tensor(dtype, dims(q), 1, 1), {}),
            input(*c, random_tensor(dtype, dims(keys), 1, 2), {}),
            input(*c, random_tensor(dtype, dims(keys), 1, 3), {})};
  if (mask == DType::boolean) {
    std::vector<int64_t> bits(size_t(n * keys));
    for (size_t i = 0; i < bits.size(); ++i) bits[i] = i % 5 != 2;
    in.push_back(input(*c, Tensor::from_ints(DType::boolean, {n, 1, 1, keys}, bits), {}));
  } else if (mask != DType::undefined) {
    in.push_back(input(*c, random_tensor(mask, {1, heads, q, keys}, 1, 4), {}));
  }
  Attention op{.is_causal = causal};
  if (packed) op.q_num_heads = op.kv_num_heads = heads;
  c->name = fmt::format("attention {} n{} h{} q{} k{} d{} mask {} causal {} packed {}", name(dtype),
                        n, heads, q, keys, size, mask == DType::undefined ? "none" : name(mask),
                        causal, packed);
  c->node = c->graph.insert(nullptr, op, in);
  c->graph.add_output(c->node->output());
  c->tolerance = 6 * unit(dtype);  // weights and result are rounded
  return c;
}

// Queries, keys and values side by side in one tensor, as a region.
std::unique_ptr<Case> attention_parts_case(DType dtype, int64_t n, int64_t heads, int64_t length,
                                           int64_t size) {
  auto c = std::make_unique<Case>();
  const int64_t line = heads * size;
  Value* all = input(*c, random_tensor(dtype, {n, length, 3 * line}, 1, 1), {});
  const auto number = [&](int64_t value) {
    return c->graph.constant(nullptr, Tensor::of({1}, std::vector<int64_t>{value}));
  };
  Values in;
  for (int64_t i = 0; i < 3; ++i) {
    const Values bounds{all, number(i * line), number((i + 1) * line), number(2)};
    in.push_back(c->graph.insert(nullptr, Slice{}, bounds)->output());
  }
  Attention op;
  op.q_num_heads = op.kv_num_heads = heads;
  c->name = fmt::format("attention {} n{} h{} q{} d{} parts of a line", name(dtype), n, heads,
                        length, size);
  c->graph.add_output(c->graph.insert(nullptr, op, in)->output());
  cuda::absorb_slices(c->graph);
  c->node = c->graph.outputs()[0]->producer();
  c->tolerance = 6 * unit(dtype);
  return c;
}

int failures = 0, checked = 0;

// Registers and local memory (spills and stack) of the worst kernel of a family.
struct Resources {
  int kernels = 0, with_local = 0, registers = 0, local = 0;
  std::string worst;
};
std::map<std::string, Resources> resources;

void count_resources(const std::string& family, const std::string& tactic,
                     const std::string& image) {
  const auto gpu = cuda::Gpu::open(0);
  const CUfunction function = gpu->function(image, "kernel", 0);
  int registers = 0, local = 0;
  gpu->api().cuFuncGetAttribute(&registers, CU_FUNC_ATTRIBUTE_NUM_REGS, function);
  gpu->api().cuFuncGetAttribute(&local, CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, function);
  Resources& r = resources[family];
  ++r.kernels;
  r.with_local += local > 0;
  r.registers = std::max(r.registers, registers);
  if (local > r.local) {
    r.local = local;
    r.worst = tactic;
  }
}

void check(Case& c, const Target& target, const DeviceInfo& info, Device& device,
           std::map<std::string, int>& accepted) {
  Data in;
  for (const Tensor& tensor : c.list) in.emplace_back(tensor);
  const Tensor want = evaluate(c.graph, in)[0].tensor;
  Sizes sizes;
  for (const Value* value : c.node->inputs())
    sizes.inputs.push_back(static_dims(value->type.shape));
  sizes.outputs.push_back(want.dims());
  struct Job {
    const Kernel* kernel;
    std::string tactic;
    StepDraft draft;
    size_t first;
  };
  std::vector<Job> jobs;
  std::vector<plan::KernelSource> sources;
  std::string rejects;
  for (const Kernel* kernel : target.kernels()) {
    if (kernel->name() == "generic") continue;
    const Reject reject = kernel->check(*c.node, info);
    if (!reject.empty()) {
      rejects += fmt::format(" {}: {};", kernel->name(), reject);
      continue;
    }
    ++accepted[std::string(kernel->name())];
    for (const std::string& tactic : kernel->tactics(*c.node, info, sizes)) {
      Job job{kernel, tactic, kernel->compile(*c.node, tactic, info), sources.size()};
      sources.insert(sources.end(), job.draft.code.begin(), job.draft.code.end());
      jobs.push_back(std::move(job));
    }
  }
  const std::vector<plan::KernelImage> images = target.compile(sources, info);
  for (const Job& job : jobs) {
    if (job.draft.code.empty() || job.draft.family == "kernels") continue;
    count_resources(fmt::format("{} {}", job.draft.family, name(want.dtype())),
                    fmt::format("{} of {}", job.tactic, c.name), images[job.first].bytes);
  }
  const std::vector<double> expected = want.to_doubles();
  double largest = 0;
  for (double v : expected) largest = std::max(largest, std::abs(v));
  for (Job& job : jobs) {
    ++checked;
    try {
      plan::Plan plan;
      plan::Step step;
      step.family = job.draft.family;
      step.tactic = job.draft.tactic;
      step.op = job.draft.op;
      step.op_fields = job.draft.op_fields;
      step.params = job.draft.params;
      step.origins = {"the_node"};
      for (size_t i = 0; i < job.draft.code.size(); ++i)
        step.code.push_back(int32_t(job.first + i));
      std::vector<std::unique_ptr<DeviceMemory>> memory;
      std::vector<std::unique_ptr<Dims>> dims;
      plan.values.resize(job.draft.inputs.size() + 1);
      const auto add = [&](size_t at, const Tensor& tensor, const Layout& layout, bool poison) {
        plan::ValueDef& def = plan.values[at];
        def.dtype = tensor.dtype();
        def.channels_last = layout.channels_last;
        def.block_axis = layout.block_axis;
        def.block = layout.block;
        dims.push_back(std::make_unique<Dims>(tensor.dims()));
        TensorView view{nullptr, tensor.dtype(), *dims.back(), &def, nullptr};
        std::vector<std::byte> host(tensor.bytes());
        view.data = host.data();
        store_tensor(tensor, view);
        if (poison) std::memset(host.data(), 0xff, host.size());
        memory.push_back(device.allocate(std::max<uint64_t>(host.size(), 16), "check"));
        device.copy_from_host(memory.back()->data, host.data(), host.size());
        view.data = memory.back()->data;
        return view;
      };
      std::vector<TensorView> inputs, outputs;
      for (size_t i = 0; i < job.draft.inputs.size(); ++i) {
        const StepArg& arg = job.draft.inputs[i];
        if (!arg.value && !arg.weight) {
          inputs.push_back({});
          step.inputs.push_back(plan::none);
          continue;
        }
        const Tensor tensor = arg.weight              ? arg.weight
                              : arg.value->constant() ? *arg.value->constant()
                                                      : c.inputs.at(arg.value);
        inputs.push_back(add(i, tensor, arg.value ? arg.value->type.layout : Layout{}, false));
        step.inputs.push_back(int32_t(i));
      }
      outputs.push_back(add(job.draft.inputs.size(), want, c.node->output()->type.layout, true));
      step.outputs.push_back(int32_t(job.draft.inputs.size()));
      std::vector<int64_t> numbers;
      for (const Dim& size : job.draft.sizes) {
        step.sizes.push_back(int32_t(numbers.size()));
        numbers.push_back(size.value());
      }
      StepArgs args;
      args.inputs = inputs;
      args.outputs = outputs;
      args.sizes = numbers;
      std::unique_ptr<DeviceMemory> scratch;
      if (job.draft.scratch.is_const() && job.draft.scratch.value() > 0) {
        scratch = device.allocate(uint64_t(job.draft.scratch.value()), "scratch");
        args.scratch = {scratch->data, size_t(job.draft.scratch.value())};
        step.scratch = 0;  // there is some; nobody reads its slot here
      }
      const auto runner = device.prepare_coded(plan, step, images);
      runner->reshape(args);
      runner->run(args);
      device.synchronise();
      std::vector<std::byte> host(want.bytes());
      device.copy_to_host(host.data(), outputs[0].data, host.size());
      TensorView view = outputs[0];
      view.data = host.data();
      const std::vector<double> got = tensor_of(view).to_doubles();
      double worst = 0;
      size_t nans = 0;
      for (size_t i = 0; i < got.size(); ++i) {
        if (std::isnan(got[i])) ++nans;
        else worst = std::max(worst, std::abs(got[i] - expected[i]));
      }
      const bool ok = nans == 0 && worst <= c.tolerance * largest;
      if (!ok) {
        ++failures;
        fmt::print("FAIL {} | {} {}: error {:.2e} allowed {:.2e}, {} NaN of {}\n", c.name,
                   job.kernel->name(), job.tactic, worst / largest, c.tolerance, nans, got.size());
      }
    } catch (const std::exception& error) {
      ++failures;
      fmt::print("FAIL {} | {} {}: {}\n", c.name, job.kernel->name(), job.tactic,
                 std::string(error.what()).substr(0, 500));
      if (std::string(error.what()).find("ILLEGAL") != std::string::npos ||
          std::string(error.what()).find("LAUNCH_FAILED") != std::string::npos)
        std::exit(1);
    }
  }
  fmt::print("{} {} tactics\n", c.name, jobs.size());
  if (jobs.size() < 2) fmt::print("   {}\n", rejects);
  std::fflush(stdout);
}

}  // namespace
}  // namespace tenrec

int main() {
  using namespace tenrec;
  init_ops();
  const Target& target = find_target("cuda");
  const DeviceInfo info = target.device_info("", 0);
  const auto device = open_device("cuda", {});
  std::map<std::string, int> accepted;
  std::vector<std::unique_ptr<Case>> cases;
  const auto f16 = DType::f16, bf16 = DType::bf16, f32 = DType::f32;
  for (DType t : {f16, bf16}) {
    cases.push_back(conv_case(t, {1, 14, 17, 64, 64, 3, 3, 1, 1, 1}, Last::relu, true));
    cases.push_back(conv_case(t, {2, 9, 13, 72, 88, 3, 5, 2, 1, 1}, Last::residual_relu, true));
    cases.push_back(conv_case(t, {1, 20, 20, 64, 256, 1, 1, 1, 0, 1}, Last::residual_relu, true));
    cases.push_back(conv_case(t, {1, 30, 26, 3, 64, 7, 7, 2, 3, 1}, Last::relu, true, true));
    cases.push_back(product_case(t, {2, 50, 96}, {96, 200}, true, Last::gelu));
    cases.push_back(product_case(t, {3, 2, 33, 40}, {3, 2, 40, 56}, false, Last::none));
    cases.push_back(attention_case(t, 2, 3, 70, 90, 64, DType::undefined, false, true));
  }
  cases.push_back(conv_case(f16, {1, 40, 33, 128, 128, 3, 3, 1, 2, 2}, Last::none, true));
  cases.push_back(conv_case(f16, {1, 19, 23, 256, 512, 1, 1, 2, 0, 1}, Last::none, true));
  cases.push_back(conv_case(f16, {1, 16, 16, 256, 21, 1, 1, 1, 0, 1}, Last::none, true));
  cases.push_back(conv_case(f16, {2, 32, 32, 3, 96, 16, 16, 16, 0, 1}, Last::none, true, true));
  cases.push_back(conv_case(f16, {2, 21, 18, 3, 32, 3, 3, 2, 1, 1}, Last::relu, true, true));
  cases.push_back(conv_case(f16, {1, 21, 18, 4, 32, 3, 3, 1, 1, 1}, Last::relu, true, true));
  cases.push_back(conv_case(f16, {1, 12, 12, 64, 64, 3, 3, 1, 1, 1, 4}, Last::relu, true));
  cases.push_back(conv_case(f16, {1, 12, 12, 20, 30, 3, 3, 1, 1, 1}, Last::scale_relu, false));
  cases.push_back(conv_case(f32, {1, 12, 12, 20, 30, 3, 3, 1, 1, 1}, Last::residual_relu, false));
  cases.push_back(conv_case(f32, {2, 12, 15, 32, 64, 3, 3, 2, 1, 1}, Last::relu, true));
  // Every tile of conv_direct.
  cases.push_back(conv_case(f32, {1, 19, 37, 40, 16, 3, 3, 1, 1, 1}, Last::relu, true));
  cases.push_back(conv_case(f32, {3, 40, 70, 32, 32, 3, 3, 1, 1, 1}, Last::residual_relu, true));
  cases.push_back(conv_case(f32, {1, 60, 50, 40, 40, 3, 3, 1, 1, 1}, Last::scale_relu, true));
  cases.push_back(conv_case(f32, {2, 64, 64, 16, 64, 3, 3, 1, 1, 1}, Last::residual, true));
  cases.push_back(conv_case(f32, {1, 200, 240, 4, 32, 3, 3, 1, 1, 1}, Last::relu, true));
  cases.push_back(conv_case(f32, {1, 13, 21, 36, 44, 5, 3, 1, 2, 1}, Last::relu, true));
  cases.push_back(conv_case(f32, {1, 41, 66, 24, 40, 3, 3, 2, 1, 1}, Last::residual_relu, true));
  cases.push_back(conv_case(f32, {1, 31, 34, 64, 96, 1, 1, 2, 0, 1}, Last::none, true));
  cases.push_back(conv_case(f32, {1, 30, 34, 40, 24, 3, 3, 1, 2, 2}, Last::relu, true));
  cases.push_back(conv_case(f32, {1, 200, 480, 8, 4, 1, 1, 1, 0, 1}, Last::relu, true));
  cases.push_back(conv_case(f32, {1, 150, 160, 16, 16, 1, 1, 1, 0, 1}, Last::relu, true));
  cases.push_back(conv_case(f32, {1, 68, 60, 24, 72, 1, 1, 1, 0, 1}, Last::scale_relu, true));
  cases.push_back(conv_case(f32, {1, 17, 30, 160, 320, 1, 1, 1, 0, 1}, Last::residual, true));
  cases.push_back(conv_case(f32, {2, 56, 56, 64, 256, 1, 1, 1, 0, 1}, Last::residual_relu, true));
  cases.push_back(product_case(f16, {128, 768}, {768, 768}, true, Last::residual));
  cases.push_back(product_case(f16, {1, 512}, {512, 1000}, true, Last::none));
  cases.push_back(product_case(f16, {5, 77, 64}, {64, 80}, true, Last::scale_relu));
  cases.push_back(product_case(f16, {6, 50, 37}, {6, 37, 41}, false, Last::relu));
  cases.push_back(product_case(f32, {3, 50, 64}, {64, 72}, true, Last::residual_relu));
  cases.push_back(product_case(f32, {3, 50, 37}, {3, 37, 41}, false, Last::none));
  cases.push_back(attention_parts_case(f16, 2, 3, 197, 64));
  cases.push_back(attention_case(f16, 1, 12, 128, 128, 64, f32, false, true));
  cases.push_back(attention_case(f16, 2, 2, 65, 65, 80, f16, false, false));
  cases.push_back(attention_case(f16, 1, 4, 100, 100, 128, DType::undefined, true, false));
  cases.push_back(attention_case(f16, 3, 2, 17, 130, 96, DType::boolean, false, true));
  for (auto& c : cases) check(*c, target, info, *device, accepted);
  for (const auto& [family, count] : accepted) fmt::print("{} took {} cases\n", family, count);
  fmt::print("\n{:<24} {:>7} {:>9} {:>10} {:>11}  worst\n", "family", "kernels", "registers",
             "with local", "local bytes");
  for (const auto& [family, r] : resources)
    fmt::print("{:<24} {:>7} {:>9} {:>10} {:>11}  {}\n", family, r.kernels, r.registers,
               r.with_local, r.local, r.worst);
  fmt::print("{} tactics checked, {} failed\n", checked, failures);
  return failures != 0;
}
