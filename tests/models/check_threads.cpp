// SPDX-License-Identifier: Apache-2.0
// Many threads, each with a context of its own, against one context after the other: results have
// to be the same bits.
//
//   check_threads model.onnx TARGET [name=1x3x48x192 ...]
#include <atomic>
#include <iostream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <thread>

#include "tenrec/builder.h"

namespace {

constexpr int thread_count = 16, rounds = 10;
using Inputs = std::map<std::string, tenrec::HostTensor>;
using Outputs = std::map<std::string, tenrec::HostTensor>;

std::vector<int64_t> dims_of(const std::string& text) {
  std::vector<int64_t> dims;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, 'x');) dims.push_back(std::stoll(part));
  return dims;
}

Inputs random_inputs(const tenrec::Engine& engine, unsigned seed) {
  std::mt19937 random(seed);
  Inputs inputs;
  for (size_t i = 0; i < engine.inputs().size(); ++i) {
    const tenrec::TensorInfo& info = engine.inputs()[i];
    tenrec::HostTensor tensor(info.dtype, engine.profiles()[0][i].opt);
    if (info.dtype == tenrec::DType::f32)
      for (float& x : tensor.as<float>()) x = static_cast<float>(random() >> 8) * 0x1p-24F;
    inputs[info.name] = std::move(tensor);
  }
  return inputs;
}

Outputs run(tenrec::Context& context, const tenrec::Engine& engine, const Inputs& inputs,
            bool in_queue = false) {
  for (const auto& [name, tensor] : inputs) context.set_input(name, tensor);
  if (in_queue) {
    context.enqueue(nullptr);
    context.synchronise();
  } else {
    context.run();
  }
  Outputs outputs;
  for (const tenrec::TensorInfo& info : engine.outputs())
    outputs[info.name] = context.output_tensor(info.name);
  return outputs;
}

bool equal(const Outputs& a, const Outputs& b) {
  for (const auto& [name, tensor] : a)
    if (tensor.dims != b.at(name).dims || tensor.data != b.at(name).data) return false;
  return true;
}

int check(const std::string& model, const std::string& target, int count, char** shapes) {
  tenrec::BuildOptions options;
  options.target = target;
  options.no_tune = true;
  for (int i = 0; i < count; ++i) {
    const std::string text = shapes[i];
    const std::vector<int64_t> dims = dims_of(text.substr(text.find('=') + 1));
    if (options.profiles.empty()) options.profiles.emplace_back();
    options.profiles[0].dims[text.substr(0, text.find('='))] = {dims, dims, dims};
  }
  const tenrec::Engine engine = tenrec::build(model, options).load();
  std::vector<Inputs> inputs;
  std::vector<Outputs> wanted;
  for (int t = 0; t < thread_count; ++t) {
    inputs.push_back(random_inputs(engine, static_cast<unsigned>(t)));
    tenrec::Context context = engine.create_context();
    wanted.push_back(run(context, engine, inputs.back()));
  }
  std::atomic<int> different{0};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < thread_count; ++t)
    threads.emplace_back([&, t] {
      try {
        tenrec::Context context = engine.create_context();
        for (int r = 0; r < rounds; ++r)
          different += equal(run(context, engine, inputs[t], r % 2 == 1), wanted[t]) ? 0 : 1;
      } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        ++different;
      }
    });
  for (std::thread& thread : threads) thread.join();
  std::cout << model << ": " << thread_count << " threads, " << rounds
            << " runs each: " << different << " differ from the serial runs\n";
  std::cout << (different == 0 ? "1 passed, 0 failed\n" : "0 passed, 1 failed\n");
  return different == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** words) try {
  if (count < 3) return 2;
  return check(words[1], words[2], count - 3, words + 3);
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n0 passed, 1 failed\n";
  return 1;
}
