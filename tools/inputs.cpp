// SPDX-License-Identifier: Apache-2.0
#include "inputs.h"

#include "base/error.h"
#include "base/file.h"
#include "tool.h"

namespace tenrec {
namespace {

using Shapes = std::map<std::string, std::vector<int64_t>>;

HostTensor read_raw(const std::string& path, const TensorInfo& info,
                    const std::vector<int64_t>& dims) {
  HostTensor tensor(info.dtype, dims);
  const auto file = MappedFile::open(path);
  TENREC_CHECK(
      file->bytes().size() == tensor.data.size(), usage,
      "\"{}\" has {} bytes, input \"{}\" of shape {} needs {}; name the shape with --input-shape",
      path, file->bytes().size(), info.name, fmt::format("[{}]", fmt::join(dims, ", ")),
      tensor.data.size());
  tensor.data.assign(file->bytes().begin(), file->bytes().end());
  return tensor;
}

HostTensor read_input(const std::string& path, const TensorInfo& info, const Shapes& shapes,
                      const PictureOptions& picture) {
  if (path.ends_with(".npy")) return read_npy(path);
  const auto shape = shapes.find(info.name);
  std::vector<int64_t> dims = shape != shapes.end() ? shape->second : info.dims;
  if (is_picture(path)) return read_picture(path, info.dtype, dims, picture);
  for (int64_t& dim : dims) dim = dim < 0 ? 1 : dim;
  return read_raw(path, info, dims);
}

}  // namespace

const TensorInfo& info_of(const std::vector<TensorInfo>& infos, const std::string& name,
                          const char* what) {
  std::string names;
  for (const TensorInfo& info : infos) {
    if (info.name == name) return info;
    names += (names.empty() ? "" : ", ") + info.name;
  }
  fail(ErrorCode::usage, "there is no {} \"{}\"; there are: {}", what, name, names);
}

void InputFlags::add_to(CLI::App& command) {
  command.add_option("--inputs", inputs_file, "Inputs from an .npz file, by name");
  command.add_option("--input", inputs, "name=FILE: .npy, a picture (png, jpg, pgm) or raw bytes");
  command.add_option("--input-shape", input_shapes,
                     "name=1x3x224x224 for raw, picture or random inputs");
  picture.add_to(command);
}

Shapes InputFlags::shapes(const Engine& engine) const {
  Shapes result;
  for (const std::string& text : input_shapes) {
    const auto [name, dims] = split_named(text);
    info_of(engine.inputs(), name, "input");
    result[name] = parse_dims(dims);
  }
  return result;
}

void InputFlags::build_for(BuildOptions& options) const {
  if (!options.profiles.empty()) return;
  Shapes known;
  for (const std::string& text : input_shapes) {
    const auto [name, dims] = split_named(text);
    known[name] = parse_dims(dims);
  }
  if (!inputs_file.empty()) {
    for (const auto& [name, tensor] : read_npz(inputs_file)) known[name] = tensor.dims;
  }
  for (const std::string& text : inputs) {
    const auto [name, path] = split_named(text);
    if (path.ends_with(".npy")) known[name] = read_npy(path).dims;
  }
  if (known.empty()) return;
  ProfileOptions& profile = options.profiles.emplace_back();
  for (const auto& [name, dims] : known)
    profile.dims[name] = {.min = dims, .opt = dims, .max = dims};
}

NamedTensors InputFlags::read(const Engine& engine) const {
  const Shapes given = shapes(engine);
  NamedTensors tensors;
  if (!inputs_file.empty()) tensors = read_npz(inputs_file);
  for (const auto& [name, tensor] : tensors) info_of(engine.inputs(), name, "input");
  for (const std::string& text : inputs) {
    const auto [name, path] = split_named(text);
    tensors[name] = read_input(path, info_of(engine.inputs(), name, "input"), given, picture);
  }
  return tensors;
}

NamedTensors InputFlags::read_or_random(const Engine& engine, uint64_t seed) const {
  return complete_inputs(engine, read(engine), shapes(engine), seed);
}

}  // namespace tenrec
