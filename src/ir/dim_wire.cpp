// SPDX-License-Identifier: Apache-2.0
#include "ir/dim_wire.h"

#include <cstring>

namespace tenrec {
namespace {

struct TensorHeader {
  DType dtype = DType::undefined;
  std::vector<int64_t> dims;
  std::string bytes;
  std::vector<std::string> strings;
  static auto fields(auto& s) {
    return std::tuple{field(1, "dtype", s.dtype), field(2, "dims", s.dims),
                      field(3, "bytes", s.bytes), field(4, "strings", s.strings)};
  }
};

}  // namespace

std::string WireCodec<Dim>::encode(const Dim& dim) {
  TENREC_ASSERT(dim.is_const(), "a symbolic size in an operator of an engine");
  return std::to_string(dim.value());
}

Dim WireCodec<Dim>::decode(std::string_view bytes) {
  return parse_dim(bytes, [&](std::string_view) -> SymbolRef {
    fail(ErrorCode::invalid_engine, "an operator field holds the symbolic size '{}'", bytes);
  });
}

std::string WireCodec<Tensor>::encode(const Tensor& tensor) {
  TensorHeader header{.dtype = tensor.dtype(), .dims = tensor.dims(), .bytes = {}, .strings = {}};
  if (tensor.dtype() == DType::string) header.strings = tensor.strings();
  else if (tensor)
    header.bytes.assign(reinterpret_cast<const char*>(tensor.data()),
                        static_cast<size_t>(tensor.bytes()));
  return tenrec::encode(header);
}

Tensor WireCodec<Tensor>::decode(std::string_view bytes) {
  TensorHeader header = tenrec::decode<TensorHeader>(bytes);
  if (header.dtype == DType::undefined) return {};
  const uint64_t count = element_count(header.dims);
  if (header.dtype == DType::string) {
    TENREC_CHECK(header.strings.size() == count, invalid_engine,
                 "a string tensor of {} has {} strings", to_string(header.dims),
                 header.strings.size());
    return Tensor::of_strings(header.dims, std::move(header.strings));
  }
  TENREC_CHECK(bit_width(header.dtype) > 0 && header.bytes.size() == byte_size(header.dtype, count),
               invalid_engine, "a tensor of {} has {} bytes", to_string(header.dims),
               header.bytes.size());
  Tensor tensor(header.dtype, header.dims);
  std::memcpy(tensor.mutable_data(), header.bytes.data(), header.bytes.size());
  return tensor;
}

}  // namespace tenrec
