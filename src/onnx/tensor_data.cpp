// SPDX-License-Identifier: Apache-2.0
#include "onnx/tensor_data.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/host_memory.h"
#include "base/protobuf.h"

namespace tenrec::onnx {
namespace {

namespace fs = std::filesystem;

constexpr size_t largest_rank = 64;
constexpr uint64_t largest_count = uint64_t{1} << 60;
// A few bytes of sparse tensor can claim any dense size.
constexpr uint64_t largest_dense = uint64_t{4} << 30;

static_assert(std::endian::native == std::endian::little, "raw_data is used as it lies");

using Chunks = std::vector<std::string_view>;

uint64_t count_elements(const std::vector<int64_t>& dims) {
  TENREC_CHECK(dims.size() <= largest_rank, unsupported, "it has {} dims; at most {} are supported",
               dims.size(), largest_rank);
  uint64_t count = 1;
  bool overflow = false;
  bool empty = false;
  for (const int64_t dim : dims) {
    TENREC_CHECK(dim >= 0, invalid_model, "dims [{}] have a negative size", fmt::join(dims, ", "));
    empty |= dim == 0;
    overflow |= __builtin_mul_overflow(count, static_cast<uint64_t>(dim), &count);
  }
  if (empty) return 0;
  TENREC_CHECK(!overflow && count <= largest_count, invalid_model,
               "dims [{}] have more elements than any memory holds", fmt::join(dims, ", "));
  return count;
}

std::shared_ptr<std::byte> allocate(uint64_t bytes) {
  HostMemory memory = allocate_host(bytes);
  TENREC_CHECK(memory, out_of_memory, "allocating {} bytes of host memory failed", bytes);
  // What follows the last element in its line has a value, too.
  if (bytes > 0)
    std::memset(memory.get() + (bytes - 1) / host_alignment * host_alignment, 0, host_alignment);
  return memory;
}

size_t element_alignment(DType dtype) {
  switch (dtype) {
    case DType::c64: return 4;
    case DType::c128: return 8;
    default: return static_cast<size_t>(std::max(bit_width(dtype) / 8, 1));
  }
}

size_t total_size(const Chunks& chunks) {
  size_t size = 0;
  for (const std::string_view chunk : chunks) size += chunk.size();
  return size;
}

class Loader {
 public:
  Loader(const TensorProto& tensor, const Model& model) : tensor_(tensor), model_(model) {}

  TensorData load() {
    result_.dtype = to_dtype(tensor_.data_type);
    result_.dims = tensor_.dims;
    count_ = count_elements(tensor_.dims);
    if (tensor_.is_external) {
      load_external();
    } else if (result_.dtype == DType::string) {
      load_strings();
    } else if (tensor_.raw_data && !tensor_.raw_data->empty()) {
      check_typed_fields_empty();
      use_bytes(*tensor_.raw_data, "raw_data", model_.owner);
    } else {
      load_typed();
    }
    return std::move(result_);
  }

 private:
  uint64_t size() const { return byte_size(result_.dtype, count_); }

  void check_typed_fields_empty() const {
    const bool empty = tensor_.float_data.empty() && tensor_.int32_data.empty() &&
                       tensor_.int64_data.empty() && tensor_.uint64_data.empty() &&
                       tensor_.double_data.empty() && tensor_.string_data.empty();
    TENREC_CHECK(empty, invalid_model, "it has its values twice, in raw_data and in a typed field");
  }

  void load_strings() {
    TENREC_CHECK(!tensor_.raw_data || tensor_.raw_data->empty(), invalid_model,
                 "strings must be in string_data, not raw_data");
    check_count(tensor_.string_data.size(), "string_data");
    result_.strings.assign(tensor_.string_data.begin(), tensor_.string_data.end());
  }

  void check_count(uint64_t got, std::string_view field) const {
    TENREC_CHECK(got == count_, invalid_model, "its dims want {} elements but {} holds {}", count_,
                 field, got);
  }

  // Little-endian bytes: a view if they lie well, else a copy.
  void use_bytes(std::string_view bytes, std::string_view field,
                 const std::shared_ptr<const void>& owner) {
    TENREC_CHECK(bytes.size() == size(), invalid_model,
                 "its {} elements take {} bytes but {} holds {}", count_, size(), field,
                 bytes.size());
    const bool aligned =
        reinterpret_cast<uintptr_t>(bytes.data()) % element_alignment(result_.dtype) == 0;
    const bool normal =
        result_.dtype != DType::boolean ||
        std::all_of(bytes.begin(), bytes.end(), [](char c) { return (c & ~1) == 0; });
    if (count_ > 0 && aligned && normal) {
      result_.data = reinterpret_cast<const std::byte*>(bytes.data());
      result_.owner = owner;
      return;
    }
    std::byte* const to = new_storage();
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    if (normal) return;
    for (size_t i = 0; i < bytes.size(); ++i) to[i] = std::byte{to[i] != std::byte{0}};
  }

  std::byte* new_storage() {
    auto storage = allocate(size());
    std::byte* const data = storage.get();
    result_.data = data;
    result_.owner = std::move(storage);
    return data;
  }

  void load_typed() {
    switch (result_.dtype) {
      case DType::f32:
      case DType::c64: return use_fixed(tensor_.float_data, "float_data");
      case DType::f64:
      case DType::c128: return use_fixed(tensor_.double_data, "double_data");
      case DType::i64: return convert(tensor_.int64_data, "int64_data");
      case DType::u32:
      case DType::u64: return convert(tensor_.uint64_data, "uint64_data");
      default: return convert(tensor_.int32_data, "int32_data");
    }
  }

  // float_data and double_data are the same bytes as raw_data, perhaps in pieces.
  void use_fixed(const Chunks& chunks, std::string_view field) {
    if (chunks.size() == 1) return use_bytes(chunks[0], field, model_.owner);
    TENREC_CHECK(total_size(chunks) == size(), invalid_model,
                 "its {} elements take {} bytes but {} holds {}", count_, size(), field,
                 total_size(chunks));
    std::byte* to = new_storage();
    for (const std::string_view chunk : chunks) {
      std::memcpy(to, chunk.data(), chunk.size());
      to += chunk.size();
    }
  }

  // Varints, one an element, or one a byte of packed 4-bit or 2-bit elements.
  void convert(const Chunks& chunks, std::string_view field) {
    const uint64_t wanted = is_sub_byte(result_.dtype) ? size() : count_;
    // A varint takes at least a byte, so this bounds what is allocated before it is decoded.
    TENREC_CHECK(wanted <= total_size(chunks), invalid_model,
                 "its dims want {} elements but {} has only {} bytes", count_, field,
                 total_size(chunks));
    std::vector<uint64_t> values;
    values.reserve(static_cast<size_t>(wanted));
    try {
      for (const std::string_view chunk : chunks) decode_varints(chunk, values);
    } catch (const MalformedProtobuf& error) {
      fail(ErrorCode::invalid_model, "{}: {}", field, error.what());
    }
    TENREC_CHECK(values.size() == wanted, invalid_model,
                 "its {} elements are stored as {} integers but {} holds {}", count_, wanted, field,
                 values.size());
    const auto width = static_cast<size_t>(std::max(bit_width(result_.dtype), 8) / 8);
    std::byte* const to = new_storage();
    for (size_t i = 0; i < values.size(); ++i) {
      check_range(values[i], field);
      if (result_.dtype == DType::boolean) values[i] = values[i] != 0 ? 1 : 0;
      std::memcpy(to + i * width, &values[i], width);
    }
  }

  // Writers disagree on whether bit patterns (and unsigned values) are sign-extended: both are
  // fine.
  void check_range(uint64_t value, std::string_view field) const {
    const int bits = std::max(bit_width(result_.dtype), 8);
    if (bits == 64) return;
    const auto as_signed = static_cast<int64_t>(value);
    const bool fits = as_signed >= -(int64_t{1} << (bits - 1)) && as_signed < (int64_t{1} << bits);
    TENREC_CHECK(fits, invalid_model, "{} holds {}, which does not fit {}", field, as_signed,
                 tenrec::name(result_.dtype));
  }

  std::optional<uint64_t> external_number(std::string_view key) const {
    for (const Metadata& entry : tensor_.external_data) {
      if (entry.key != key) continue;
      uint64_t value = 0;
      const char* const end = entry.value.data() + entry.value.size();
      const auto [stop, error] = std::from_chars(entry.value.data(), end, value);
      TENREC_CHECK(error == std::errc{} && stop == end, invalid_model,
                   "its external data's {} is \"{}\", not a number of bytes", key, entry.value);
      return value;
    }
    return std::nullopt;
  }

  void load_external() {
    TENREC_CHECK(result_.dtype != DType::string, invalid_model, "strings cannot be external data");
    const auto location =
        std::find_if(tensor_.external_data.begin(), tensor_.external_data.end(),
                     [](const Metadata& entry) { return entry.key == "location"; });
    TENREC_CHECK(location != tensor_.external_data.end(), invalid_model,
                 "its external data names no file (no \"location\")");
    const uint64_t offset = external_number("offset").value_or(0);
    const uint64_t length = external_number("length").value_or(size());
    TENREC_CHECK(length == size(), invalid_model,
                 "its {} elements take {} bytes but its external data's length is {}", count_,
                 size(), length);
    TENREC_CHECK(model_.external != nullptr, invalid_model,
                 "its values are in file \"{}\" but the model was not read from a folder",
                 location->value);
    if (count_ == 0) {
      new_storage();
      return;
    }
    const auto file = model_.external->open(location->value);
    const std::string_view text = file->text();
    TENREC_CHECK(
        offset <= text.size() && length <= text.size() - offset, invalid_model,
        "its values are bytes {} to {} of \"{}\", which has only {}; the file is truncated "
        "or belongs to another model",
        offset, offset + length, location->value, text.size());
    use_bytes(text.substr(static_cast<size_t>(offset), static_cast<size_t>(length)),
              location->value, file);
  }

  const TensorProto& tensor_;
  const Model& model_;
  TensorData result_;
  uint64_t count_ = 0;
};

void copy_element(DType dtype, const std::byte* from, uint64_t source, std::byte* to,
                  uint64_t target) {
  const auto bits = static_cast<uint64_t>(bit_width(dtype));
  if (bits >= 8) {
    std::memcpy(to + target * (bits / 8), from + source * (bits / 8), bits / 8);
    return;
  }
  const uint64_t per_byte = 8 / bits;
  const unsigned mask = (1U << bits) - 1;
  const auto read_shift = static_cast<unsigned>(bits * (source % per_byte));
  const auto write_shift = static_cast<unsigned>(bits * (target % per_byte));
  const unsigned value = (static_cast<unsigned>(from[source / per_byte]) >> read_shift) & mask;
  std::byte& byte = to[target / per_byte];
  byte = static_cast<std::byte>((static_cast<unsigned>(byte) & ~(mask << write_shift)) |
                                value << write_shift);
}

// The flat position of the i-th value; every coordinate is checked.
uint64_t flat_position(const TensorData& indices, uint64_t i, const std::vector<int64_t>& dims,
                       uint64_t count) {
  const auto* const values = reinterpret_cast<const int64_t*>(indices.data);
  if (indices.dims.size() == 1) {
    const int64_t position = values[i];
    TENREC_CHECK(position >= 0 && static_cast<uint64_t>(position) < count, invalid_model,
                 "index {} is outside its {} elements", position, count);
    return static_cast<uint64_t>(position);
  }
  uint64_t position = 0;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    const int64_t index = values[i * dims.size() + axis];
    TENREC_CHECK(index >= 0 && index < dims[axis], invalid_model,
                 "index {} on axis {} is outside its dims [{}]", index, axis,
                 fmt::join(dims, ", "));
    position = position * static_cast<uint64_t>(dims[axis]) + static_cast<uint64_t>(index);
  }
  return position;
}

TensorData densify(const SparseTensor& sparse, const Model& model) {
  const TensorData values = Loader(sparse.values, model).load();
  const TensorData indices = Loader(sparse.indices, model).load();
  TENREC_CHECK(values.dtype != DType::string, unsupported, "sparse tensors of strings");
  TENREC_CHECK(values.dims.size() == 1, invalid_model, "its values have {} dims instead of one",
               values.dims.size());
  TENREC_CHECK(indices.dtype == DType::i64, invalid_model, "its indices are {} instead of i64",
               tenrec::name(indices.dtype));
  const int64_t stored = values.dims[0];
  const auto rank = static_cast<int64_t>(sparse.dims.size());
  const bool flat = indices.dims == std::vector{stored};
  TENREC_CHECK(flat || indices.dims == (std::vector{stored, rank}), invalid_model,
               "its indices have dims [{}]; {} values of rank {} need [{}] or [{}, {}]",
               fmt::join(indices.dims, ", "), stored, rank, stored, stored, rank);
  TensorData dense;
  dense.dtype = values.dtype;
  dense.dims = sparse.dims;
  const uint64_t count = count_elements(sparse.dims);
  const uint64_t bytes = byte_size(dense.dtype, count);
  TENREC_CHECK(bytes <= largest_dense, unsupported,
               "it has {} bytes when dense; sparse tensors up to {} are supported", bytes,
               largest_dense);
  auto storage = allocate(bytes);
  if (bytes > 0) std::memset(storage.get(), 0, static_cast<size_t>(bytes));
  for (uint64_t i = 0; i < static_cast<uint64_t>(stored); ++i) {
    copy_element(dense.dtype, values.data, i, storage.get(),
                 flat_position(indices, i, sparse.dims, count));
  }
  dense.data = storage.get();
  dense.owner = std::move(storage);
  return dense;
}

bool is_inside(const fs::path& file, const fs::path& folder) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
  return end == folder.end() && rest != file.end();
}

}  // namespace

std::shared_ptr<const MappedFile> ExternalData::open(std::string_view location) {
  const std::lock_guard lock(mutex_);
  if (const auto known = files_.find(location); known != files_.end()) return known->second;
  const fs::path relative(location);
  const bool climbs = std::find(relative.begin(), relative.end(), "..") != relative.end();
  TENREC_CHECK(location.find('\0') == location.npos, invalid_model,
               "external data file's name holds a zero byte");
  TENREC_CHECK(!location.empty() && !climbs && relative.is_relative(), invalid_model,
               "external data file \"{}\" must be a path inside the model's folder, without \"..\"",
               location);
  std::error_code error;
  const fs::path folder = fs::canonical(folder_, error);
  TENREC_CHECK(!error, io, "the model's folder {} cannot be read: {}", folder_.string(),
               error.message());
  const fs::path path = fs::canonical(folder / relative, error);
  TENREC_CHECK(!error, io,
               "external data file \"{}\" of the model cannot be opened in {}: {}; keep it beside "
               "the model",
               location, folder.string(), error.message());
  TENREC_CHECK(is_inside(path, folder), invalid_model,
               "external data file \"{}\" is a link to {}, outside the model's folder; copy the "
               "file itself there",
               location, path.string());
  auto file = MappedFile::open(path);
  files_.emplace(location, file);
  return file;
}

TensorData to_tensor(const TensorProto& tensor, const Model& model) {
  return with_context([&] { return fmt::format("tensor \"{}\"", tensor.name); },
                      [&] { return Loader(tensor, model).load(); });
}

TensorData to_tensor(const SparseTensor& tensor, const Model& model) {
  return with_context([&] { return fmt::format("sparse tensor \"{}\"", tensor.values.name); },
                      [&] { return densify(tensor, model); });
}

}  // namespace tenrec::onnx
