// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <zlib.h>

#ifdef TENREC_ONEDNN
#include <dnnl.h>
#endif

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "base/knobs.h"
#include "runtime/device.h"
#include "targets/cpu/run/isa.h"
#include "targets/cpu/run/threads.h"
#ifdef TENREC_CUDA
#include "targets/cuda/run/dynlib.h"
#endif
#include "targets/target.h"
#include "tenrec/version.h"
#include "tool.h"

namespace tenrec {
namespace {

using nlohmann::json;

// MappedFile cannot read /proc: its files have no size.
std::string read_proc(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// "model name	: Foo" -> "Foo" for the first line that starts with `key`; "" if there is none.
std::string proc_entry(const std::string& text, std::string_view key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key)) continue;
    const size_t begin = line.find_first_not_of(" \t", line.find(':') + 1);
    return line.find(':') == line.npos || begin == line.npos ? "" : line.substr(begin);
  }
  return "";
}

// Of the CPU's features, those that decide what Tenrec or its libraries can use.
std::vector<std::string> features(const std::string& cpuinfo) {
  constexpr std::array interesting{"sse4_2",      "avx",         "f16c",     "fma",      "avx2",
                                   "avx_vnni",    "avx512f",     "avx512vl", "avx512dq", "avx512bw",
                                   "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16",
                                   "asimd",       "asimdhp",     "asimddp",  "sve",      "sve2",
                                   "bf16",        "i8mm"};
  std::string flags = proc_entry(cpuinfo, "flags");
  if (flags.empty()) flags = proc_entry(cpuinfo, "Features");
  flags = " " + flags + " ";
  std::vector<std::string> found;
  for (const char* feature : interesting) {
    if (flags.find(fmt::format(" {} ", feature)) != flags.npos) found.push_back(feature);
  }
  return found;
}

json describe_cpu() {
  const std::string cpuinfo = read_proc("/proc/cpuinfo");
  json sets = json::array();
  for (const cpu::Isa isa : {cpu::Isa::baseline, cpu::Isa::avx2, cpu::Isa::avx512}) {
    if (cpu::supported(isa)) sets.push_back(cpu::to_string(isa));
  }
  return {{"model", proc_entry(cpuinfo, "model name")},
          {"features", features(cpuinfo)},
          {"instruction_sets", sets},
          {"used", cpu::to_string(cpu::best_isa())}};
}

json describe_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int affinity = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 0;
  return {{"used", cpu::available_threads()},
          {"affinity", affinity},
          {"quota", cpu::cgroup_quota(read_proc("/proc/self/cgroup"), "/sys/fs/cgroup")}};
}

json describe_memory() {
  const std::string meminfo = read_proc("/proc/meminfo");
  return {{"total", proc_entry(meminfo, "MemTotal")},
          {"available", proc_entry(meminfo, "MemAvailable")}};
}

// Devices that can run engines, and which of them this build can compile for.
json describe_targets() {
  json list = json::array();
  for (const std::string& name : registered_devices()) {
    try {
      const DeviceInfo info = find_target(name).device_info("", 0);
      list.push_back({{"name", name},
                      {"fingerprint", info.fingerprint},
                      {"vector_floats", info.vector_floats},
                      {"channel_block", info.channel_block},
                      {"cache_l1", info.cache_l1},
                      {"cache_l2", info.cache_l2},
                      {"cache_l3", info.cache_l3}});
    } catch (const Error& error) {
      // Runs, but nothing is built for it; or there is no such device here, and why.
      const bool absent = error.code() == ErrorCode::device;
      list.push_back({{"name", name},
                      {"fingerprint", nullptr},
                      {"problem", absent ? json(error.what()) : json(nullptr)}});
      if (!absent && error.code() != ErrorCode::usage) throw;
    }
  }
  return list;
}

json describe_libraries() {
  json libraries{{"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
                                     FMT_VERSION % 100)},
                 {"zlib", zlibVersion()}};
#ifdef TENREC_ONEDNN
  const dnnl_version_t* version = dnnl_version();
  libraries["onednn"] = fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
#else
  libraries["onednn"] = nullptr;
#endif
  return libraries;
}

// CUDA's, which are opened when needed: where each was found, or what is missing and what to do.
json describe_cuda_libraries() {
  json list = json::array();
#ifdef TENREC_CUDA
  for (const cuda::LibraryReport& library : cuda::report_libraries()) {
    list.push_back({{"name", library.name},
                    {"path", library.problem.empty() ? json(library.path) : json(nullptr)},
                    {"problem", library.problem}});
  }
#endif
  return list;
}

json describe_knobs() {
  json list = json::array();
  for (const KnobInfo& knob : list_knobs()) {
    list.push_back({{"name", knob.name},
                    {"type", knob.type},
                    {"default", knob.fallback},
                    {"value", knob.value},
                    {"is_set", knob.is_set},
                    {"help", knob.help}});
  }
  return list;
}

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string joined(const json& list) {
  std::string text;
  for (const json& entry : list) text += (text.empty() ? "" : " ") + text_of(entry);
  return text;
}

void print_report(const json& report) {
  const json& cpu = report["cpu"];
  const json& threads = report["threads"];
  const json& memory = report["memory"];
  fmt::print(
      "tenrec {}\n\ncpu: {}\n  features: {}\n  instruction sets built and supported: {}; used: "
      "{}\n",
      text_of(report["version"]), text_of(cpu["model"]), joined(cpu["features"]),
      joined(cpu["instruction_sets"]), text_of(cpu["used"]));
  const std::string quota = threads["quota"] == 0 ? "none" : text_of(threads["quota"]);
  fmt::print("threads: {} (affinity mask {}, cgroup quota {})\n", text_of(threads["used"]),
             text_of(threads["affinity"]), quota);
  fmt::print("memory: {}, available {}\n\ndevices:\n", text_of(memory["total"]),
             text_of(memory["available"]));
  for (const json& target : report["devices"]) {
    if (target["fingerprint"].is_null()) {
      if (target["problem"].is_null())
        fmt::print("  {}: runs engines, no target to build for\n", text_of(target["name"]));
      else fmt::print("  {}: {}\n", text_of(target["name"]), text_of(target["problem"]));
      continue;
    }
    fmt::print("  {}: --device '{}', caches {} / {} / {} KiB\n", text_of(target["name"]),
               text_of(target["fingerprint"]), target["cache_l1"].get<uint64_t>() / 1024,
               target["cache_l2"].get<uint64_t>() / 1024,
               target["cache_l3"].get<uint64_t>() / 1024);
  }
  fmt::print("\nlibraries:\n");
  for (const auto& [name, version] : report["libraries"].items()) {
    fmt::print("  {}: {}\n", name, version.is_null() ? "not built in" : text_of(version));
  }
  for (const json& library : report["cuda"]) {
    fmt::print("  {}: {}\n", text_of(library["name"]),
               text_of(library["path"].is_null() ? library["problem"] : library["path"]));
  }
  fmt::print("\nenvironment variables:\n");
  for (const json& knob : report["knobs"]) {
    fmt::print("  {}={}{}  ({}) {}\n", text_of(knob["name"]), text_of(knob["value"]),
               knob["is_set"].get<bool>() ? " [set]" : "", text_of(knob["type"]),
               text_of(knob["help"]));
  }
}

void run_doctor(bool as_json) {
  const json devices = describe_targets();  // registers what targets bring
  const json report{{"version", TENREC_VERSION},
                    {"cpu", describe_cpu()},
                    {"threads", describe_threads()},
                    {"memory", describe_memory()},
                    {"devices", devices},
                    {"libraries", describe_libraries()},
                    {"cuda", describe_cuda_libraries()},
                    {"knobs", describe_knobs()}};
  if (as_json) fmt::print("{}\n", report.dump(-1, ' ', false, json::error_handler_t::replace));
  else print_report(report);
}

}  // namespace

void add_doctor(CLI::App& app) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* sub = app.add_subcommand("doctor", "Show this machine, this build and its settings");
  sub->add_flag("--json", *as_json, "Machine-readable");
  sub->footer("Example: tenrec doctor");
  sub->callback([as_json] { run_doctor(*as_json); });
}

}  // namespace tenrec
