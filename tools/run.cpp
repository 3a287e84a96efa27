// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/dtype.h"
#include "base/error.h"
#include "base/file.h"
#include "inputs.h"
#include "picture.h"
#include "tool.h"

namespace tenrec {
namespace {

struct RunCommand {
  BuildFlags flags;
  InputFlags inputs;
  std::string engine, outputs_file;
  std::vector<std::string> outputs, feedback;
  bool random = false;
  int repeat = 1;
};

std::string statistics(const HostTensor& tensor) {
  if (tensor.dtype != DType::f32 || tensor.data.empty()) return "";
  const auto values = tensor.as<float>();
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return fmt::format("  min {:.6g} mean {:.6g} max {:.6g}", *low,
                     sum / static_cast<double>(values.size()), *high);
}

void write_outputs(const RunCommand& command, const Engine& engine, const NamedTensors& results) {
  for (const auto& [name, tensor] : results) {
    fmt::print("{}: {}[{}]{}\n", name, dtype_name(tensor.dtype), fmt::join(tensor.dims, ", "),
               statistics(tensor));
  }
  if (!command.outputs_file.empty()) write_npz(command.outputs_file, results);
  for (const std::string& text : command.outputs) {
    const auto [name, path] = split_named(text);
    info_of(engine.outputs(), name, "output");
    const HostTensor& tensor = results.at(name);
    if (path.ends_with(".npy")) write_npy(path, tensor);
    else if (path.ends_with(".png")) write_picture(path, tensor);
    else write_file_atomic(path, [&](FileWriter& file) { file.write(tensor.data); });
  }
}

void run_run(const RunCommand& command) {
  BuildOptions options = command.flags.finish();
  command.inputs.build_for(options);
  const Engine engine = load_or_build(command.engine, options, command.flags);
  NamedTensors inputs = command.random ? command.inputs.read_or_random(engine, options.seed)
                                       : command.inputs.read(engine);
  for (const TensorInfo& info : engine.inputs()) {
    TENREC_CHECK(inputs.count(info.name), usage,
                 "input \"{}\" has no value; give --input {}=FILE, --inputs FILE.npz or --random",
                 info.name, info.name);
  }
  Context context = engine.create_context();
  NamedTensors results;
  for (int i = 0; i < command.repeat; ++i) {
    for (const auto& [name, tensor] : inputs) context.set_input(name, tensor);
    context.run();
    for (const TensorInfo& info : engine.outputs())
      results[info.name] = context.output_tensor(info.name);
    for (const std::string& text : command.feedback) {
      const auto [from, to] = split_named(text);
      info_of(engine.outputs(), from, "output");
      info_of(engine.inputs(), to, "input");
      inputs[to] = results.at(from);
    }
  }
  write_outputs(command, engine, results);
}

}  // namespace

void add_run(CLI::App& app) {
  auto command = std::make_shared<RunCommand>();
  CLI::App* sub =
      app.add_subcommand("run", "Run an engine (or build a model in memory and run it)");
  sub->add_option("engine", command->engine, "Engine file, or an .onnx model")->required();
  command->inputs.add_to(*sub);
  sub->add_flag("--random", command->random, "Inputs not given are seeded random values");
  sub->add_option("--outputs", command->outputs_file, "All outputs into an .npz file");
  sub->add_option("--output", command->outputs,
                  "name=FILE: .npy, .png (0..1 grey or RGB) or raw bytes");
  sub->add_option("--repeat", command->repeat, "Run so often")->check(CLI::PositiveNumber);
  sub->add_option("--feedback", command->feedback, "out=in: feed an output back into the next run");
  command->flags.add_to(*sub);
  sub->footer(
      "Example: tenrec run rvm.engine --input src=photo.jpg --random --input-shape r1i=1x1x1x1 ... "
      "--output pha=matte.png");
  sub->callback([command] { run_run(*command); });
}

}  // namespace tenrec
