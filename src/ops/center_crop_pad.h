// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "ir/op_decl.h"
#include "ops/movement.h"

namespace tenrec {

// The input cut or zero-padded around its centre to the sizes in input 1, which are those of `axes`
// (empty: of all axes).
struct CenterCropPad {
  std::vector<int64_t> axes;
  static auto fields(auto& s) { return std::tuple{field(1, "axes", s.axes)}; }
  static constexpr Accuracy accuracy = exact();

  std::vector<size_t> chosen(int64_t rank) const {
    std::vector<size_t> all;
    for (const int64_t axis : axes.empty() ? even_offsets(rank, 1) : axes) {
      all.push_back(static_cast<size_t>(normalise_axis(axis, rank)));
    }
    return all;
  }

  Types infer(const Types& in) const {
    check_input_count(in, 2, 2, "CenterCropPad");
    const Type& x = tensor_input(in, 0, "CenterCropPad");
    if (!x.ranked) return {x};
    const std::vector<Dim>* sizes = in[1].known_ints();
    const std::vector<size_t> at = chosen(x.rank());
    TENREC_CHECK(!sizes || sizes->size() == at.size(), invalid_model,
                 "CenterCropPad of {} axes with {} sizes", at.size(), sizes->size());
    Shape shape = x.shape;
    for (size_t i = 0; i < at.size(); ++i) {
      shape[at[i]] = sizes ? (*sizes)[i] : Dim::fresh(fmt::format("crop{}", at[i]));
    }
    return {Type::tensor(x.dtype, std::move(shape))};
  }

  Tensors eval(const Tensors& in) const {
    const Dims& dims = in[0].dims();
    const std::vector<int64_t> sizes = in[1].to_ints();
    const std::vector<size_t> at = chosen(in[0].rank());
    TENREC_CHECK(sizes.size() == at.size(), invalid_input, "CenterCropPad of {} axes with {} sizes",
                 at.size(), sizes.size());
    AxisOffsets offsets = identity_offsets(dims);
    for (size_t i = 0; i < at.size(); ++i) {
      const int64_t before = dims[at[i]];
      const int64_t after = sizes[i];
      const std::vector<int64_t> all = offsets[at[i]];
      offsets[at[i]].assign(static_cast<size_t>(after), -1);
      // Of an odd difference the smaller half is in front, when cutting and when padding.
      const int64_t cut = after < before ? (before - after) / 2 : 0;
      const int64_t pad = after > before ? (after - before) / 2 : 0;
      for (int64_t k = 0; k < std::min(before, after); ++k) {
        offsets[at[i]][static_cast<size_t>(k + pad)] = all[static_cast<size_t>(k + cut)];
      }
    }
    return {moved(in[0], index_map(offsets))};
  }
};
TENREC_OP(CenterCropPad, "center_crop_pad")

}  // namespace tenrec
