// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tool.h"

namespace tenrec {
namespace {

struct BuildCommand {
  BuildFlags flags;
  std::string model, output;
  bool explain = false;
  bool json = false;
};

void run_build(const BuildCommand& command) {
  TENREC_CHECK(command.flags.devices() == std::vector<int>{0}, usage,
               "--device {}: tactics are timed on GPU 0; make another one that with "
               "CUDA_VISIBLE_DEVICES",
               command.flags.device);
  BuildOptions options = command.flags.finish();
  options.keep_explain = command.explain;
  TENREC_CHECK(!command.output.empty() || !options.stop_after.empty(), usage,
               "name the engine file with -o, or a stop with --stop-after");
  ProgressBar bar;
  options.progress = [&](const BuildProgress& progress) { return bar(progress); };
  const auto start = std::chrono::steady_clock::now();
  const BuildResult result = build(command.model, options);
  bar.finish();
  if (!result.bytes) {
    fmt::print("{}", result.text);
    return;
  }
  if (!command.output.empty()) result.save(command.output);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (command.explain) fmt::print("{}", result.explain);
  if (command.json) {
    const nlohmann::json json{{"engine", command.output},
                              {"bytes", result.bytes->size()},
                              {"seconds", seconds},
                              {"notes", result.notes},
                              {"warnings", result.warnings}};
    fmt::print("{}\n", json.dump());
    return;
  }
  for (const std::string& warning : result.warnings) fmt::print("warning: {}\n", warning);
  if (command.flags.verbose) {
    for (const std::string& note : result.notes) fmt::print("note: {}\n", note);
    fmt::print("{}\n", bar.phases());
  }
  fmt::print("{}: {:.1f} MiB, built in {:.2f} s\n", command.output,
             static_cast<double>(result.bytes->size()) / (1 << 20), seconds);
}

}  // namespace

void add_build(CLI::App& app) {
  auto command = std::make_shared<BuildCommand>();
  CLI::App* sub = app.add_subcommand("build", "Compile an ONNX model into an engine file");
  sub->add_option("model", command->model, "ONNX model")->required();
  sub->add_option("-o,--output", command->output, "Engine file to write");
  sub->add_option("--stop-after", command->flags.options.stop_after,
                  "Print the graph after: import, a pass, simplify, bind, fuse, select");
  sub->add_flag("--explain", command->explain,
                "Print every candidate kernel, reject reason and time");
  sub->add_flag("--json", command->json, "Machine-readable result");
  command->flags.add_to(*sub);
  sub->footer("Example: tenrec build rvm.onnx -o rvm.engine --values downsample_ratio=0.25");
  sub->callback([command] { run_build(*command); });
}

}  // namespace tenrec
