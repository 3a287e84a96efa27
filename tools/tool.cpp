// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "base/dtype.h"
#include "base/error.h"
#include "ir/tensor.h"

namespace tenrec {
namespace {

constexpr const char* profile_help =
    "A profile: shape ranges as name=MIN:OPT:MAX, joined by commas; sizes with x. "
    "Repeat for several. Example: --profile "
    "src=1x3x64x64:1x3x720x1280:1x3x1080x1920,r1i=1x1x1x1:...";

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// CLI11's drops an empty part at the end: "1x" would pass as "1".
std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts = CLI::detail::split(text, separator);
  if (text.ends_with(separator)) parts.emplace_back();
  return parts;
}

std::vector<double> parse_numbers(const std::string& text) {
  std::vector<double> numbers;
  for (const std::string& part : split(text, ',')) {
    size_t used = 0;
    double number = 0;
    try {
      number = std::stod(part, &used);
    } catch (const std::exception&) {
      used = 0;
    }
    TENREC_CHECK(used == part.size() && used > 0, usage, "'{}' is not a number", part);
    numbers.push_back(number);
  }
  return numbers;
}

template <class Range, class Parse>
Range parse_range(const std::string& text, Parse&& parse) {
  const std::vector<std::string> parts = split(text, ':');
  TENREC_CHECK(parts.size() == 1 || parts.size() == 3, usage, "'{}': give one value or MIN:OPT:MAX",
               text);
  Range range;
  range.min = parse(parts[0]);
  range.opt = parse(parts[parts.size() == 3 ? 1 : 0]);
  range.max = parse(parts[parts.size() == 3 ? 2 : 0]);
  return range;
}

}  // namespace

std::vector<int64_t> parse_dims(const std::string& text) {
  std::vector<int64_t> dims;
  if (text.empty() || text == "scalar") return dims;
  const char separator = text.find('x') != text.npos ? 'x' : ',';
  for (const std::string& part : split(text, separator)) {
    const bool digits =
        !part.empty() && part.size() < 19 && part.find_first_not_of("0123456789") == part.npos;
    TENREC_CHECK(digits || part == "-1", usage, "'{}' is not a shape; write sizes like 1x3x224x224",
                 text);
    dims.push_back(std::stoll(part));
  }
  return dims;
}

std::pair<std::string, std::string> split_named(const std::string& text) {
  const size_t at = text.find('=') != text.npos ? text.find('=') : text.find(':');
  TENREC_CHECK(at != text.npos && at > 0, usage, "'{}': expected name=...", text);
  return {text.substr(0, at), text.substr(at + 1)};
}

void BuildFlags::add_to(CLI::App& command) {
  command
      .add_option("--target", options.target,
                  "What to build for: cpu, cuda, cuda:sm_90, or several for one file, best first: "
                  "cuda,cpu")
      ->capture_default_str();
  command.add_option(
      "--device", device,
      "Number of the GPU to run on (bench: or several, 0,1,2; tactics are timed on 0), "
      "or a device to build for that is not here (see `tenrec doctor`)");
  command.add_option("--threads", options.threads,
                     "Threads to tune for and run with (0: all allowed)");
  command.add_option("--profile", profiles, profile_help);
  command.add_option("--shapes", shapes, "Fixed shapes: name=1x3x224x224");
  command.add_option("--min-shapes,--minShapes", min_shapes,
                     "Smallest shapes (with --opt- and --max-shapes)");
  command.add_option("--opt-shapes,--optShapes", opt_shapes, "Shapes to tune for");
  command.add_option("--max-shapes,--maxShapes", max_shapes, "Largest shapes");
  command.add_option("--values", values, "Value of a shape input: ratio=0.25 or ratio=0.1:0.25:1");
  command.add_flag_callback(
      "--fp16", [this] { options.precision = DType::f16; },
      "Compute a float32 model in float16 (sums in float32); inputs and outputs keep their types");
  command.add_flag_callback(
      "--bf16", [this] { options.precision = DType::bf16; }, "The same in bfloat16");
  command.add_flag("--tf32", options.tf32,
                   "Let float32 products round their operands to tf32 (GPUs)");
  command.add_flag("--no-vendor", options.no_vendor, "Use Tenrec's own kernels only");
  command.add_flag("--no-fallback", options.no_fallback,
                   "Fail where a step would run on the host instead of the target's device");
  command.add_flag("--no-tune", options.no_tune,
                   "Time nothing; take the first tactic (or the cached one)");
  command
      .add_option("--tune-budget", options.tune_budget,
                  "Seconds to time tactics for; what is left then takes its first tactic")
      ->check(CLI::PositiveNumber);
  command.add_option("--timing-cache", options.timing_cache,
                     "File of earlier timings and device code, read and updated");
  command.add_flag("--no-compilation-cache", options.no_compilation_cache,
                   "Keep device code out of the timing cache");
  command.add_option("--skip-pass", options.skip_passes, "Leave a pass out");
  command.add_option("--tactic", tactics,
                     "Pin a node's kernel: node=kernel or 'node=kernel tactic'");
  command.add_option("--seed", options.seed, "Seed of the tuning inputs");
  command.add_flag("--lean", options.lean,
                   "Leave the graph and original weights out of the engine");
  command.add_option("--memory-limit", options.memory_limit,
                     "Bytes the engine may allocate (0: no limit)");
  command.add_flag("-v,--verbose", verbose, "Print notes of the build and what took how long");
}

std::vector<int> BuildFlags::devices() const {
  if (device.empty() || device.find_first_not_of("0123456789,") != device.npos) return {0};
  std::vector<int> numbers;
  for (const std::string& part : split(device, ',')) {
    TENREC_CHECK(!part.empty() && part.size() < 4, usage,
                 "'{}' are no devices; write numbers like 0 or 0,1", device);
    numbers.push_back(std::stoi(part));
  }
  return numbers;
}

BuildOptions BuildFlags::finish() const {
  BuildOptions result = options;
  if (device.find_first_not_of("0123456789,") != device.npos) result.device = device;
  for (const std::string& text : profiles) {
    ProfileOptions profile;
    for (const std::string& part : split(text, ',')) {
      const auto [name, range] = split_named(part);
      profile.dims[name] = parse_range<DimsRange>(range, parse_dims);
    }
    result.profiles.push_back(std::move(profile));
  }
  ProfileOptions single;
  for (const std::string& text : shapes) {
    const auto [name, dims] = split_named(text);
    single.dims[name] = parse_range<DimsRange>(dims, parse_dims);
  }
  const auto collect = [&](const std::vector<std::string>& list, auto member) {
    for (const std::string& whole : list) {
      for (const std::string& text : split(whole, ',')) {
        const auto [name, dims] = split_named(text);
        single.dims[name].*member = parse_dims(dims);
      }
    }
  };
  collect(min_shapes, &DimsRange::min);
  collect(opt_shapes, &DimsRange::opt);
  collect(max_shapes, &DimsRange::max);
  for (auto& [name, range] : single.dims) {
    // Like trtexec: what is not given follows from what is.
    if (range.opt.empty()) range.opt = !range.max.empty() ? range.max : range.min;
    if (range.min.empty()) range.min = range.opt;
    if (range.max.empty()) range.max = range.opt;
  }
  for (const std::string& text : values) {
    const auto [name, range] = split_named(text);
    single.values[name] = parse_range<ValueRange>(range, parse_numbers);
  }
  if (!single.dims.empty() || !single.values.empty()) result.profiles.push_back(std::move(single));
  for (const std::string& text : tactics) result.tactics.insert(split_named(text));
  return result;
}

bool is_onnx(const std::string& path) { return path.ends_with(".onnx"); }

std::vector<Engine> load_or_build(const std::string& path, const BuildOptions& options,
                                  const std::vector<int>& devices) {
  std::vector<Engine> engines;
  const auto load_on_each = [&](const auto& load) {
    for (const int device : devices)
      engines.push_back(load(
          {.threads = options.threads, .device = device, .memory_limit = options.memory_limit}));
  };
  if (!is_onnx(path)) {
    load_on_each([&](const LoadOptions& each) { return Engine::load(path, each); });
    return engines;
  }
  ProgressBar bar;
  BuildOptions with_bar = options;
  with_bar.progress = [&](const BuildProgress& progress) { return bar(progress); };
  const BuildResult result = build(path, with_bar);
  bar.finish();
  load_on_each([&](const LoadOptions& each) { return result.load(each); });
  return engines;
}

Engine load_or_build(const std::string& path, const BuildOptions& options,
                     const BuildFlags& flags) {
  const std::vector<int> devices = flags.devices();
  TENREC_CHECK(devices.size() == 1, usage, "--device {}: only bench runs on several devices",
               flags.device);
  return load_or_build(path, options, devices).front();
}

namespace {

// Floats in [0, 1), integers of 0 and 1.
HostTensor random_tensor(DType dtype, const std::vector<int64_t>& dims, std::mt19937_64& random) {
  HostTensor tensor(dtype, dims);
  const auto width = static_cast<size_t>(bit_width(dtype));
  for (size_t k = 0; k < tensor.data.size() * 8 / width; ++k) {
    const uint64_t bits = random();
    const float uniform = static_cast<float>(bits >> 40) * 0x1p-24F;
    switch (dtype) {
      case DType::f32: tensor.as<float>()[k] = uniform; break;
      case DType::f64: tensor.as<double>()[k] = static_cast<double>(uniform); break;
      case DType::f16:
        reinterpret_cast<uint16_t*>(tensor.data.data())[k] = float_to_half(uniform);
        break;
      case DType::bf16:
        reinterpret_cast<uint16_t*>(tensor.data.data())[k] = float_to_bf16(uniform);
        break;
      default: {  // the lowest byte of each element
        const size_t at = k * std::max<size_t>(width / 8, 1);
        if (at < tensor.data.size()) tensor.data[at] = static_cast<std::byte>(bits & 1);
      }
    }
  }
  return tensor;
}

}  // namespace

NamedTensors complete_inputs(const Engine& engine, NamedTensors given,
                             const std::map<std::string, std::vector<int64_t>>& shapes,
                             uint64_t seed) {
  std::mt19937_64 random(seed);
  for (size_t i = 0; i < engine.inputs().size(); ++i) {
    const TensorInfo& info = engine.inputs()[i];
    if (given.count(info.name)) continue;
    const InputRange& range = engine.profiles().at(0).at(i);
    std::vector<int64_t> dims = range.opt;
    if (const auto found = shapes.find(info.name); found != shapes.end()) dims = found->second;
    TENREC_CHECK(!info.is_host, unsupported, "input \"{}\" is no plain tensor; give it as a file",
                 info.name);
    HostTensor tensor = random_tensor(info.dtype, dims, random);
    // A shape input is what the engine was built for.
    if (!range.value_opt.empty() && dims == range.opt) {
      const Tensor values = Tensor::from_doubles(info.dtype, dims, range.value_opt);
      std::copy_n(values.data(), values.bytes(), tensor.data.begin());
    }
    given[info.name] = std::move(tensor);
  }
  return given;
}

namespace {

volatile std::sig_atomic_t interrupted = 0;
constexpr std::array ending_signals{SIGINT, SIGTERM};

}  // namespace

ProgressBar::ProgressBar() {
  struct sigaction action{};
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (size_t i = 0; i < ending_signals.size(); ++i) {
    (void)sigaction(ending_signals[i], nullptr, &before_[i]);
    // Who starts a program with a signal ignored, as nohup does, wants it so.
    if (before_[i].sa_handler != SIG_IGN) (void)sigaction(ending_signals[i], &action, nullptr);
  }
}

ProgressBar::~ProgressBar() {
  for (size_t i = 0; i < ending_signals.size(); ++i)
    (void)sigaction(ending_signals[i], &before_[i], nullptr);
}

void ProgressBar::count(const BuildProgress& progress, double now) {
  if (!phases_.empty()) phases_.back().second += now - phase_since_;
  phase_since_ = now;
  if (phases_.empty() || phases_.back().first != progress.phase)
    phases_.emplace_back(progress.phase, 0);
}

std::string ProgressBar::phases() const {
  std::string text;
  for (const auto& [phase, seconds] : phases_)
    text += fmt::format("{}{} {:.2f} s", text.empty() ? "" : ", ", phase, seconds);
  return text;
}

bool ProgressBar::operator()(const BuildProgress& progress) {
  if (interrupted != 0) {
    finish();
    return false;
  }
  const double now = now_seconds();
  count(progress, now);
  if (!isatty(STDERR_FILENO)) return true;
  if (started_ == 0) started_ = now;
  if (now - last_ < 0.1) return true;
  last_ = now;
  shown_ = true;
  const double part =
      progress.total ? static_cast<double>(progress.done) / static_cast<double>(progress.total) : 0;
  const double left = part > 0.02 ? (now - started_) * (1 - part) / part : 0;
  constexpr size_t width = 24;
  const auto filled = static_cast<size_t>(part * static_cast<double>(width));
  fmt::print(stderr, "\r\x1b[K{:<8} [{:<{}}] {}/{} {:.0f} s left {:.40}", progress.phase,
             std::string(filled, '#'), width, progress.done, progress.total, left, progress.detail);
  return true;
}

void ProgressBar::finish() {
  if (!phases_.empty()) phases_.back().second += now_seconds() - phase_since_;
  if (shown_) fmt::print(stderr, "\r\x1b[K");
}

}  // namespace tenrec
