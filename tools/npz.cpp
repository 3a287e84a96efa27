// SPDX-License-Identifier: Apache-2.0
// Formats: NumPy's "NEP 1" for .npy, PKWARE's APPNOTE for the ZIP container of .npz.
#include "npz.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/dtype.h"
#include "base/error.h"
#include "base/file.h"

namespace tenrec {
namespace {

using Bytes = std::span<const std::byte>;

struct NumpyType {
  std::string_view descr;
  DType dtype;
};
// bf16 and the small floats have no NumPy type of their own; they are written as raw bytes ("V2").
constexpr std::array numpy_types{
    NumpyType{"<f4", DType::f32}, NumpyType{"<f8", DType::f64}, NumpyType{"<f2", DType::f16},
    NumpyType{"|i1", DType::i8},  NumpyType{"<i2", DType::i16}, NumpyType{"<i4", DType::i32},
    NumpyType{"<i8", DType::i64}, NumpyType{"|u1", DType::u8},  NumpyType{"<u2", DType::u16},
    NumpyType{"<u4", DType::u32}, NumpyType{"<u8", DType::u64}, NumpyType{"|b1", DType::boolean},
    NumpyType{"<V2", DType::bf16}};

template <class T>
T read_little(Bytes bytes, size_t at) {
  TENREC_CHECK(at + sizeof(T) <= bytes.size(), io, "the file ends too early");
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

template <class T>
void append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

// The text between `key` and the next comma or closing bracket of a .npy header dictionary.
std::string_view header_entry(std::string_view header, std::string_view key, char open,
                              char close) {
  const size_t at = header.find(key);
  TENREC_CHECK(at != header.npos, io, "the .npy header has no {}", key);
  const size_t begin = header.find(open, at + key.size());
  const size_t end = begin == header.npos ? begin : header.find(close, begin + 1);
  TENREC_CHECK(end != header.npos, io, "the .npy header is malformed at {}", key);
  return header.substr(begin + 1, end - begin - 1);
}

HostTensor parse_npy(Bytes bytes) {
  constexpr std::string_view magic("\x93NUMPY", 6);
  TENREC_CHECK(bytes.size() >= 10 && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0, io,
               "not a .npy file");
  const auto major = static_cast<unsigned>(bytes[6]);
  const size_t start = major >= 2 ? 12 : 10;
  const size_t length =
      major >= 2 ? read_little<uint32_t>(bytes, 8) : read_little<uint16_t>(bytes, 8);
  TENREC_CHECK(length <= bytes.size() - std::min(start, bytes.size()), io,
               "the file ends too early");
  const std::string_view header(reinterpret_cast<const char*>(bytes.data()) + start, length);
  const std::string_view descr = header_entry(header, "'descr':", '\'', '\'');
  const auto type = std::find_if(numpy_types.begin(), numpy_types.end(),
                                 [&](const NumpyType& t) { return t.descr == descr; });
  TENREC_CHECK(type != numpy_types.end(), io, "arrays of type '{}' cannot be read", descr);
  HostTensor tensor;
  const std::string_view shape = header_entry(header, "'shape':", '(', ')');
  for (size_t at = 0; at < shape.size();) {
    const size_t comma = std::min(shape.find(',', at), shape.size());
    const std::string number(shape.substr(at, comma - at));
    if (number.find_first_of("0123456789") != number.npos)
      tensor.dims.push_back(std::stoll(number));
    at = comma + 1;
  }
  TENREC_CHECK(header.find("'fortran_order': False") != header.npos || tensor.dims.size() <= 1, io,
               "the array is in Fortran order; save it with numpy.ascontiguousarray");
  const uint64_t size = tensor_bytes(type->dtype, tensor.dims);
  TENREC_CHECK(size == bytes.size() - start - length, io, "{} bytes of data, the shape needs {}",
               bytes.size() - start - length, size);
  tensor.dtype = type->dtype;
  tensor.data.assign(bytes.begin() + static_cast<std::ptrdiff_t>(start + length), bytes.end());
  return tensor;
}

std::string format_npy(const TensorRef& tensor) {
  const auto type = std::find_if(numpy_types.begin(), numpy_types.end(),
                                 [&](const NumpyType& t) { return t.dtype == tensor.dtype; });
  TENREC_CHECK(type != numpy_types.end(), unsupported, "a tensor of {} cannot be written as .npy",
               dtype_name(tensor.dtype));
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", type->descr,
                  fmt::join(tensor.dims, ", "), tensor.dims.size() == 1 ? "," : "");
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  append(out, static_cast<uint16_t>(header.size()));
  out += header;
  out.append(static_cast<const char*>(tensor.data), tensor.bytes);
  return out;
}

std::vector<std::byte> inflate_entry(Bytes packed, size_t size) {
  std::vector<std::byte> out(size);
  z_stream stream{};
  TENREC_CHECK(inflateInit2(&stream, -MAX_WBITS) == Z_OK, out_of_memory, "zlib could not start");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  TENREC_CHECK(code == Z_STREAM_END && stream.avail_out == 0, io, "the compressed data is damaged");
  return out;
}

HostTensor read_entry(Bytes file, size_t central) {
  const auto method = read_little<uint16_t>(file, central + 10);
  const auto crc = read_little<uint32_t>(file, central + 16);
  const auto packed_size = read_little<uint32_t>(file, central + 20);
  const auto size = read_little<uint32_t>(file, central + 24);
  const auto local = read_little<uint32_t>(file, central + 42);
  TENREC_CHECK(size != UINT32_MAX, io, "the entry has 4 GiB or more; use .npy files");
  const size_t start = size_t{local} + 30 + read_little<uint16_t>(file, size_t{local} + 26) +
                       read_little<uint16_t>(file, size_t{local} + 28);
  TENREC_CHECK(start <= file.size() && packed_size <= file.size() - start, io,
               "the file ends too early");
  const Bytes packed = file.subspan(start, packed_size);
  TENREC_CHECK(method == 0 || method == 8, io, "compression method {} cannot be read", method);
  // A deflated byte cannot stand for more than 1032 bytes; a bigger claim is a lie.
  TENREC_CHECK(method == 0 ? size == packed_size : size / 1032 <= packed_size, io,
               "impossible sizes");
  const std::vector<std::byte> bytes = method == 0
                                           ? std::vector<std::byte>(packed.begin(), packed.end())
                                           : inflate_entry(packed, size);
  const auto actual = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  TENREC_CHECK(actual == crc, io, "the checksum does not match");
  return parse_npy(bytes);
}

}  // namespace

HostTensor read_npy(const std::string& path) {
  return with_context([&] { return fmt::format("reading \"{}\"", path); },
                      [&] {
                        const auto file = MappedFile::open(path);
                        return parse_npy(file->bytes());
                      });
}

void write_npy(const std::string& path, const TensorRef& tensor) {
  const std::string bytes = format_npy(tensor);
  write_file_atomic(path, [&](FileWriter& file) { file.write(bytes); });
}

NamedTensors read_npz(const std::string& path) {
  return with_context(
      [&] { return fmt::format("reading \"{}\"", path); },
      [&] {
        const auto mapped = MappedFile::open(path);
        const Bytes file = mapped->bytes();
        size_t end = file.size();
        const size_t last = file.size() > 65557 ? file.size() - 65557 : 0;
        for (size_t at = file.size() < 22 ? 0 : file.size() - 22; end == file.size(); --at) {
          TENREC_CHECK(file.size() >= 22, io, "not a .npz file");
          if (read_little<uint32_t>(file, at) == 0x06054b50) end = at;
          else TENREC_CHECK(at > last, io, "not a .npz file");
        }
        NamedTensors tensors;
        size_t central = read_little<uint32_t>(file, end + 16);
        for (int left = read_little<uint16_t>(file, end + 10); left > 0; --left) {
          TENREC_CHECK(read_little<uint32_t>(file, central) == 0x02014b50, io,
                       "the directory is damaged");
          const size_t name_length = read_little<uint16_t>(file, central + 28);
          TENREC_CHECK(central + 46 + name_length <= file.size(), io, "the file ends too early");
          std::string name(reinterpret_cast<const char*>(file.data()) + central + 46, name_length);
          if (name.ends_with(".npy")) name.resize(name.size() - 4);
          tensors[name] = with_context([&] { return fmt::format("entry \"{}\"", name); },
                                       [&] { return read_entry(file, central); });
          central += 46 + name_length + read_little<uint16_t>(file, central + 30) +
                     read_little<uint16_t>(file, central + 32);
        }
        return tensors;
      });
}

void write_npz(const std::string& path, const NamedTensors& tensors) {
  std::string out;
  std::string directory;
  for (const auto& [name, tensor] : tensors) {
    const std::string data = format_npy(tensor);
    const std::string file_name = name + ".npy";
    TENREC_CHECK(
        data.size() < UINT32_MAX && out.size() < UINT32_MAX, unsupported,
        "\"{}\": .npz files of 4 GiB or more cannot be written; use one .npy file an output", path);
    const auto crc =
        static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
    const auto offset = static_cast<uint32_t>(out.size());
    std::string common;  // what local and central header share, from "version needed" on
    append<uint16_t>(common, 20);
    append<uint16_t>(common, 0x800);       // names are UTF-8
    append<uint16_t>(common, 0);           // stored
    append<uint32_t>(common, 0x00210000);  // 1980-01-01: the same tensors give the same bytes
    append<uint32_t>(common, crc);
    append<uint32_t>(common, static_cast<uint32_t>(data.size()));
    append<uint32_t>(common, static_cast<uint32_t>(data.size()));
    append<uint16_t>(common, static_cast<uint16_t>(file_name.size()));
    append<uint16_t>(common, 0);
    append<uint32_t>(out, 0x04034b50);
    out += common + file_name + data;
    append<uint32_t>(directory, 0x02014b50);
    append<uint16_t>(directory, 20);
    directory += common;
    append<uint16_t>(directory, 0);  // comment
    append<uint16_t>(directory, 0);  // disk
    append<uint16_t>(directory, 0);  // internal attributes
    append<uint32_t>(directory, 0);  // external attributes
    append<uint32_t>(directory, offset);
    directory += file_name;
  }
  const auto start = static_cast<uint32_t>(out.size());
  out += directory;
  append<uint32_t>(out, 0x06054b50);
  append<uint32_t>(out, 0);
  append<uint16_t>(out, static_cast<uint16_t>(tensors.size()));
  append<uint16_t>(out, static_cast<uint16_t>(tensors.size()));
  append<uint32_t>(out, static_cast<uint32_t>(directory.size()));
  append<uint32_t>(out, start);
  append<uint16_t>(out, 0);
  write_file_atomic(path, [&](FileWriter& file) { file.write(out); });
}

}  // namespace tenrec
