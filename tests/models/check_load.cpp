// SPDX-License-Identifier: Apache-2.0
// An engine's first result, as a program gets it: check_load ENGINE MODEL_BYTES prints the
// milliseconds from nothing to the result and the most memory that the process has had while
// loading, beside the model's weights (which nearly are the model).
#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "tenrec/tenrec.h"

namespace {

double megabytes_of(const std::string& key) {  // of /proc/self/status
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key)) return std::stod(line.substr(key.size() + 1)) / 1024;
  return 0;
}

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

}  // namespace

int main(int count, char** words) try {
  if (count != 3) return 2;
  const double model = std::stod(words[2]) / (1 << 20);
  const double before = megabytes_of("VmRSS:");
  const auto start = std::chrono::steady_clock::now();
  const tenrec::Engine engine = tenrec::Engine::load(words[1]);
  const double load = since(start), loaded = megabytes_of("VmHWM:");
  tenrec::Context context = engine.create_context();
  for (const tenrec::TensorInfo& input : engine.inputs()) {
    std::vector<int64_t> dims = input.dims;
    for (int64_t& dim : dims) dim = dim < 0 ? 1 : dim;
    context.set_input(input.name, tenrec::HostTensor(input.dtype, dims));
  }
  context.run();
  const double first = since(start), peak = megabytes_of("VmHWM:");
  std::cout << "load " << load << " ms, first result after " << first << " ms; model " << model
            << " MiB; process before " << before << " MiB, at most " << loaded << " ("
            << loaded / model << "x) while loading, " << peak << " (" << peak / model
            << "x) with the first run\n";
  const bool good = first <= 300 && loaded <= 1.2 * model;
  std::cout << (good ? "1 passed, 0 failed\n" : "0 passed, 1 failed\n");
  return good ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n0 passed, 1 failed\n";
  return 1;
}
