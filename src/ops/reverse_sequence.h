// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"
#include "ops/movement.h"

namespace tenrec {

// Along the time axis, reverses the first sequence_lens[b] entries of each batch entry b.
struct ReverseSequence {
  int64_t batch_axis = 1;
  int64_t time_axis = 0;
  static auto fields(auto& s) {
    return std::tuple{field(1, "batch_axis", s.batch_axis), field(2, "time_axis", s.time_axis)};
  }
  static constexpr Accuracy accuracy = exact();

  Types infer(const Types& in) const {
    check_input_count(in, 2, 2, "ReverseSequence");
    const Type& x = tensor_input(in, 0, "ReverseSequence");
    check_list(in[1], "the lengths of ReverseSequence");
    if (x.ranked) {
      normalise_axis(batch_axis, x.rank());
      normalise_axis(time_axis, x.rank());
    }
    return {x.ranked ? Type::tensor(x.dtype, x.shape) : x};
  }

  Tensors eval(const Tensors& in) const {
    const Dims& dims = in[0].dims();
    const auto batch = static_cast<size_t>(normalise_axis(batch_axis, in[0].rank()));
    const auto time = static_cast<size_t>(normalise_axis(time_axis, in[0].rank()));
    const std::vector<int64_t> lengths = in[1].to_ints();
    TENREC_CHECK(static_cast<int64_t>(lengths.size()) == dims[batch], invalid_input,
                 "ReverseSequence of {} batch entries with {} lengths", dims[batch],
                 lengths.size());
    const Dims strides = row_major_strides(dims);
    IndexMap map{dims, even_offsets(static_cast<int64_t>(in[0].elements()), 1), 1};
    for (int64_t& from : map.from) {
      const int64_t length = lengths[static_cast<size_t>(from / strides[batch] % dims[batch])];
      TENREC_CHECK(length >= 0 && length <= dims[time], invalid_input,
                   "ReverseSequence length {} of {} steps", length, dims[time]);
      const int64_t step = from / strides[time] % dims[time];
      if (step < length) from += (length - 1 - 2 * step) * strides[time];
    }
    return {moved(in[0], map)};
  }
};
TENREC_OP(ReverseSequence, "reverse_sequence")

}  // namespace tenrec
