// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "tenrec/version.h"
#include "tool.h"

namespace {

constexpr const char* footer = R"(Examples:
  tenrec build model.onnx -o model.engine
  tenrec run model.engine --input image=photo.jpg --outputs out.npz
  tenrec bench model.onnx --vs onnxruntime --layers=time
  tenrec inspect model.engine
  tenrec check model.onnx
  tenrec verify model.onnx --seed 7
  tenrec conformance onnx-cases
  tenrec ops --json
  tenrec doctor

Exit codes: 0 done, 1 bug in Tenrec, 2 wrong usage, 3 file not readable or writable, 4 invalid model,
5 unsupported, 6 invalid engine, 7 invalid input, 8 out of memory, 9 cancelled, 10 results differ,
11 device missing or failed.)";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Tenrec: compiles ONNX models into engines and runs them", "tenrec"};
  app.set_version_flag("--version", std::string("tenrec ") + TENREC_VERSION);
  app.footer(footer);
  app.require_subcommand(1);
  tenrec::add_build(app);
  tenrec::add_run(app);
  tenrec::add_bench(app);
  tenrec::add_inspect(app);
  tenrec::add_check(app);
  tenrec::add_verify(app);
  tenrec::add_conformance(app);
  tenrec::add_ops(app);
  tenrec::add_doctor(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(tenrec::ErrorCode::usage);
  } catch (const tenrec::Error& error) {
    fmt::print(stderr, "tenrec: error: {}\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "tenrec: error: out of memory\n");
    return static_cast<int>(tenrec::ErrorCode::out_of_memory);
  } catch (const std::exception& error) {
    fmt::print(stderr, "tenrec: error: internal: {}; please report it\n", error.what());
    return static_cast<int>(tenrec::ErrorCode::internal);
  }
  return 0;
}
