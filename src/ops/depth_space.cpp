// SPDX-License-Identifier: Apache-2.0
#include "ops/depth_space.h"

#include <cstring>

#include "ops/support.h"

namespace tenrec {
namespace {

const Type& check_image(const Types& in, int64_t block) {
  const Type& x = required(in, 0, "the input");
  TENREC_CHECK(block >= 1 && block <= 1 << 15, invalid_model,
               "blocksize is {}, expected at least 1", block);
  TENREC_CHECK(!x.ranked || x.rank() == 4, invalid_model,
               "the input is {}, expected batch, channels, height and width", x.str());
  return x;
}

Dim divided(const Dim& size, int64_t by, std::string_view what) {
  TENREC_CHECK(!size.is_const() || size.value() % by == 0, invalid_model,
               "{} {} is not a multiple of {}", what, size.str(), by);
  return floordiv(size, by);
}

// Copies every element; that at `index` comes from source(index).
template <class Source>
Tensor gather_strings(const Tensor& x, const Dims& out, Source&& source) {
  std::vector<std::string> moved;
  Dims index(out.size(), 0);
  if (element_count(out) == 0) return Tensor::of_strings(out, {});
  do {
    moved.push_back(x.strings()[static_cast<size_t>(source(index))]);
  } while (next_index(index, out));
  return Tensor::of_strings(out, std::move(moved));
}

template <class Source>
Tensor gather_elements(const Tensor& x, const Dims& out, Source&& source) {
  if (x.dtype() == DType::string) return gather_strings(x, out, source);
  const int bits = bit_width(x.dtype());
  TENREC_CHECK(bits >= 8, unsupported, "elements of type {} cannot be moved one by one",
               name(x.dtype()));
  const auto width = static_cast<size_t>(bits / 8);
  Tensor y(x.dtype(), out);
  std::byte* to = y.mutable_data();
  if (y.elements() == 0) return y;
  Dims index(out.size(), 0);
  do {
    std::memcpy(to, x.data() + static_cast<size_t>(source(index)) * width, width);
    to += width;
  } while (next_index(index, out));
  return y;
}

bool is_crd(const OnnxNode& node) {
  const std::string mode = node.text("mode", "DCR");
  TENREC_CHECK(mode == "DCR" || mode == "CRD", invalid_model, "mode is \"{}\", expected DCR or CRD",
               mode);
  return mode == "CRD";
}

}  // namespace

Types DepthToSpace::infer(const Types& in) const {
  const Type& x = check_image(in, blocksize);
  if (!x.ranked) return {Type::unranked(x.dtype)};
  return {Type::tensor(x.dtype, {x.shape[0], divided(x.shape[1], blocksize * blocksize, "channels"),
                                 x.shape[2] * blocksize, x.shape[3] * blocksize})};
}

Tensors DepthToSpace::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  const Dims strides = row_major_strides(in[0].dims());
  return {gather_elements(in[0], out, [&](const Dims& at) {
    const int64_t row = at[2] % blocksize;
    const int64_t column = at[3] % blocksize;
    const int64_t channel = column_row_depth ? (at[1] * blocksize + row) * blocksize + column
                                             : (row * blocksize + column) * out[1] + at[1];
    return at[0] * strides[0] + channel * strides[1] + at[2] / blocksize * strides[2] +
           at[3] / blocksize;
  })};
}

Values DepthToSpace::from_onnx(const OnnxNode& node, OnnxContext& context) {
  return context.add(
      DepthToSpace{.blocksize = node.integer("blocksize"), .column_row_depth = is_crd(node)},
      {context.input(0)});
}

Types SpaceToDepth::infer(const Types& in) const {
  const Type& x = check_image(in, blocksize);
  if (!x.ranked) return {Type::unranked(x.dtype)};
  return {Type::tensor(x.dtype, {x.shape[0], x.shape[1] * (blocksize * blocksize),
                                 divided(x.shape[2], blocksize, "height"),
                                 divided(x.shape[3], blocksize, "width")})};
}

Tensors SpaceToDepth::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  const Dims strides = row_major_strides(in[0].dims());
  const int64_t channels = in[0].dims()[1];
  return {gather_elements(in[0], out, [&](const Dims& at) {
    const int64_t squared = blocksize * blocksize;
    const int64_t block = column_row_depth ? at[1] % squared : at[1] / channels;
    const int64_t channel = column_row_depth ? at[1] / squared : at[1] % channels;
    return at[0] * strides[0] + channel * strides[1] +
           (at[2] * blocksize + block / blocksize) * strides[2] + at[3] * blocksize +
           block % blocksize;
  })};
}

Values SpaceToDepth::from_onnx(const OnnxNode& node, OnnxContext& context) {
  return context.add(
      SpaceToDepth{.blocksize = node.integer("blocksize"), .column_row_depth = is_crd(node)},
      {context.input(0)});
}

}  // namespace tenrec
