// SPDX-License-Identifier: Apache-2.0
// The family "gather": moves that integer tensors direct. Every index is checked before it is used;
// one out of range is an invalid_input Error.
#include <cstring>

#include "ops/gather.h"
#include "ops/gather_elements.h"
#include "ops/scatter.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/runners.h"

namespace tenrec::cpu {
namespace {

constexpr int64_t parallel_bytes = 128 << 10;

int64_t index_at(const TensorView& view, int64_t i) {
  return view.dtype == DType::i32 ? view.as<int32_t>()[i] : view.as<int64_t>()[i];
}

void check_indices(const TensorView& view) {
  TENREC_CHECK(view.dtype == DType::i32 || view.dtype == DType::i64, invalid_engine,
               "indices are {}, i32 or i64 is needed", tenrec::name(view.dtype));
}

// Indices along one axis of `data`: the other axes must lie inside it.
void check_elements(const TensorView& data, const TensorView& indices, int64_t axis) {
  check_indices(indices);
  const size_t rank = data.dims.size();
  const auto along = static_cast<size_t>(normalise_axis(axis, static_cast<int64_t>(rank)));
  bool inside = indices.dims.size() == rank;
  for (size_t i = 0; inside && i < rank; ++i)
    inside = i == along || indices.dims[i] <= data.dims[i];
  TENREC_CHECK(inside, invalid_engine, "indices of {} into {}", tenrec::to_string(indices.dims),
               tenrec::to_string(data.dims));
}

void check_written(const TensorView& out, int64_t elements) {
  TENREC_CHECK(out.elements() == elements, invalid_engine,
               "an output of {} has not the {} elements that are written",
               tenrec::to_string(out.dims), elements);
}

int64_t wrapped(int64_t index, int64_t size, std::string_view what) {
  TENREC_CHECK(index >= -size && index < size, invalid_input, "{}: index {} of an axis of size {}",
               what, index, size);
  return index < 0 ? index + size : index;
}

int64_t product(std::span<const int64_t> dims, size_t first, size_t last) {
  int64_t n = 1;
  for (size_t i = first; i < last; ++i) n *= dims[i];
  return n;
}

// An element or a row; elements are too short for a call.
void copy_one(std::byte* to, const std::byte* from, size_t bytes) {
  switch (bytes) {
    case 4: std::memcpy(to, from, 4); break;
    case 8: std::memcpy(to, from, 8); break;
    default: std::memcpy(to, from, bytes);
  }
}

class Rows : public StepRunner {
 public:
  Rows(const plan::Step& step, RunEnvironment& environment)
      : op_(step_op<Gather>(step)), threads_(environment.threads) {}

  void reshape(const StepArgs& args) override {
    const TensorView& data = args.inputs[0];
    check_indices(args.inputs[1]);
    const auto axis =
        static_cast<size_t>(normalise_axis(op_.axis, static_cast<int64_t>(data.dims.size())));
    outer_ = product(data.dims, 0, axis);
    size_ = data.dims[axis];
    const int64_t inner = product(data.dims, axis + 1, data.dims.size());
    bytes_ = inner * static_cast<int64_t>(byte_size(data.dtype, 1));
    count_ = args.inputs[1].elements();
    check_written(args.outputs[0], outer_ * count_ * inner);
    places_.resize(static_cast<size_t>(count_));
  }

  void run(const StepArgs& args) override {
    for (int64_t i = 0; i < count_; ++i) {
      places_[static_cast<size_t>(i)] =
          wrapped(index_at(args.inputs[1], i), size_, "Gather") * bytes_;
    }
    const int64_t rows = outer_ * count_;
    const int tasks = rows * bytes_ < parallel_bytes
                          ? 1
                          : static_cast<int>(std::min<int64_t>(rows, threads_.count()));
    threads_.parallel(tasks, [&](int task, int) {
      copy_rows(args.inputs[0].data, args.outputs[0].data, rows * task / tasks,
                rows * (task + 1) / tasks);
    });
  }

 private:
  void copy_rows(const std::byte* data, std::byte* out, int64_t begin, int64_t end) const {
    if (begin == end) return;
    const int64_t step = size_ * bytes_;
    const std::byte* from = data + begin / count_ * step;
    int64_t i = begin % count_;
    for (int64_t row = begin; row < end; ++row) {
      copy_one(out + row * bytes_, from + places_[static_cast<size_t>(i)],
               static_cast<size_t>(bytes_));
      if (++i == count_) i = 0, from += step;
    }
  }

  Gather op_;
  const Threads& threads_;
  int64_t outer_ = 1, size_ = 1, bytes_ = 1, count_ = 0;
  std::vector<int64_t> places_;
};

// Visits the elements of `index_dims`, giving each the flat place in a tensor of strides `strides`.
template <class Visit>
void each_place(std::span<const int64_t> index_dims, std::span<const int64_t> strides, size_t axis,
                int64_t size, const TensorView& indices, std::string_view what, Visit&& visit) {
  const size_t rank = index_dims.size();
  const int64_t inner = product(index_dims, axis + 1, rank);
  const int64_t total = product(index_dims, 0, rank);
  // The place of (outer, inner) without the axis is worked out a run of the last axis at a time.
  const int64_t last = rank == 0 ? 1 : index_dims[rank - 1];
  for (int64_t flat = 0; flat < total; flat += last) {
    int64_t rest = flat, base = 0;
    for (size_t i = rank; i-- > 0;) {
      const int64_t index = rest % index_dims[i];
      rest /= index_dims[i];
      if (i != axis) base += index * strides[i];
    }
    const bool along_last = inner == 1 && axis + 1 == rank;
    for (int64_t k = 0; k < last; ++k) {
      const int64_t index = wrapped(index_at(indices, flat + k), size, what);
      visit(flat + k, base + (along_last ? 0 : k * strides[rank - 1]) + index * strides[axis]);
    }
  }
}

class Elements : public StepRunner {
 public:
  explicit Elements(const plan::Step& step) : op_(step_op<GatherElements>(step)) {}
  void reshape(const StepArgs& args) override {
    check_elements(args.inputs[0], args.inputs[1], op_.axis);
    check_written(args.outputs[0], args.inputs[1].elements());
    strides_ = dense_strides(args.inputs[0].dims);
  }
  void run(const StepArgs& args) override {
    const TensorView& data = args.inputs[0];
    const auto axis =
        static_cast<size_t>(normalise_axis(op_.axis, static_cast<int64_t>(data.dims.size())));
    const size_t element = byte_size(data.dtype, 1);
    each_place(args.inputs[1].dims, strides_, axis, data.dims[axis], args.inputs[1],
               "GatherElements", [&](int64_t flat, int64_t place) {
                 copy_one(args.outputs[0].data + static_cast<size_t>(flat) * element,
                          data.data + static_cast<size_t>(place) * element, element);
               });
  }

 private:
  GatherElements op_;
  PerAxis strides_;
};

class ScatterInto : public StepRunner {
 public:
  explicit ScatterInto(const plan::Step& step) : op_(step_op<ScatterElements>(step)) {}
  void reshape(const StepArgs& args) override {
    check_elements(args.inputs[0], args.inputs[1], op_.axis);
    const TensorView& updates = args.inputs[2];
    TENREC_CHECK(
        updates.dtype == args.inputs[0].dtype && same_dims(updates.dims, args.inputs[1].dims),
        invalid_engine, "updates of {}{} for indices of {}", tenrec::name(updates.dtype),
        tenrec::to_string(updates.dims), tenrec::to_string(args.inputs[1].dims));
    check_written(args.outputs[0], args.inputs[0].elements());
    strides_ = dense_strides(args.inputs[0].dims);
  }
  void run(const StepArgs& args) override {
    const TensorView& data = args.inputs[0];
    const auto axis =
        static_cast<size_t>(normalise_axis(op_.axis, static_cast<int64_t>(data.dims.size())));
    const size_t element = byte_size(data.dtype, 1);
    std::byte* out = args.outputs[0].data;
    if (out != data.data && data.elements() > 0)
      std::memcpy(out, data.data, static_cast<size_t>(data.elements()) * element);
    each_place(args.inputs[1].dims, strides_, axis, data.dims[axis], args.inputs[1],
               "ScatterElements", [&](int64_t flat, int64_t place) {
                 copy_one(out + static_cast<size_t>(place) * element,
                          args.inputs[2].data + static_cast<size_t>(flat) * element, element);
               });
  }

 private:
  ScatterElements op_;
  PerAxis strides_;
};

// Blocks that coordinates in the last axis of the indices name.
struct Blocks {
  int64_t batch = 1, points = 1, depth = 0, block = 1;
  PerAxis sizes, strides;  // of the coordinates

  Blocks(std::span<const int64_t> dims, std::span<const int64_t> index_dims, int64_t batch_dims) {
    const auto shared = static_cast<size_t>(batch_dims);
    bool fits = batch_dims >= 0 && shared < index_dims.size() && shared < dims.size();
    for (size_t i = 0; fits && i < shared; ++i) fits = dims[i] == index_dims[i];
    TENREC_CHECK(fits, invalid_engine, "coordinates of {} axes with {} batch axes into {}",
                 index_dims.size(), batch_dims, dims.size());
    depth = index_dims.back();
    TENREC_CHECK(depth >= 0 && shared + static_cast<size_t>(depth) <= dims.size(), invalid_input,
                 "coordinates of {} axes into {}", depth, dims.size());
    batch = product(dims, 0, shared);
    points = product(index_dims, shared, index_dims.size() - 1);
    const size_t first = shared + static_cast<size_t>(depth);
    block = product(dims, first, dims.size());
    for (size_t i = shared; i < first; ++i) {
      sizes.push_back(dims[i]);
      strides.push_back(product(dims, i + 1, dims.size()));
    }
    entry = product(dims, shared, dims.size());
  }
  int64_t place(const TensorView& indices, int64_t point, std::string_view what) const {
    int64_t at = point / points * entry;
    for (int64_t k = 0; k < depth; ++k) {
      const auto axis = static_cast<size_t>(k);
      at += wrapped(index_at(indices, point * depth + k), sizes[axis], what) * strides[axis];
    }
    return at;
  }
  int64_t entry = 1;
};

class GatherBlocks : public StepRunner {
 public:
  explicit GatherBlocks(const plan::Step& step) : op_(step_op<GatherND>(step)) {}
  void reshape(const StepArgs& args) override {
    check_indices(args.inputs[1]);
    blocks_.emplace(args.inputs[0].dims, args.inputs[1].dims, op_.batch_dims);
    check_written(args.outputs[0], blocks_->batch * blocks_->points * blocks_->block);
  }
  void run(const StepArgs& args) override {
    const size_t element = byte_size(args.inputs[0].dtype, 1);
    const size_t bytes = static_cast<size_t>(blocks_->block) * element;
    for (int64_t point = 0; point < blocks_->batch * blocks_->points; ++point) {
      const int64_t place = blocks_->place(args.inputs[1], point, "GatherND");
      copy_one(args.outputs[0].data + static_cast<size_t>(point) * bytes,
               args.inputs[0].data + static_cast<size_t>(place) * element, bytes);
    }
  }

 private:
  GatherND op_;
  std::optional<Blocks> blocks_;
};

class ScatterBlocks : public StepRunner {
 public:
  void reshape(const StepArgs& args) override {
    check_indices(args.inputs[1]);
    blocks_.emplace(args.inputs[0].dims, args.inputs[1].dims, 0);
    check_written(args.outputs[0], args.inputs[0].elements());
    const TensorView& updates = args.inputs[2];
    TENREC_CHECK(updates.dtype == args.inputs[0].dtype &&
                     updates.elements() == blocks_->points * blocks_->block,
                 invalid_engine, "{} updates of {}, {} of {} are needed", updates.elements(),
                 tenrec::name(updates.dtype), blocks_->points * blocks_->block,
                 tenrec::name(args.inputs[0].dtype));
  }
  void run(const StepArgs& args) override {
    const TensorView& data = args.inputs[0];
    const size_t element = byte_size(data.dtype, 1);
    std::byte* out = args.outputs[0].data;
    if (out != data.data && data.elements() > 0)
      std::memcpy(out, data.data, static_cast<size_t>(data.elements()) * element);
    const size_t bytes = static_cast<size_t>(blocks_->block) * element;
    for (int64_t point = 0; point < blocks_->points; ++point) {
      const int64_t place = blocks_->place(args.inputs[1], point, "ScatterND");
      copy_one(out + static_cast<size_t>(place) * element,
               args.inputs[2].data + static_cast<size_t>(point) * bytes, bytes);
    }
  }

 private:
  std::optional<Blocks> blocks_;
};

}  // namespace

Runner prepare_gather(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  if (step.op == "gather") return std::make_unique<Rows>(step, environment);
  if (step.op == "gather_elements") return std::make_unique<Elements>(step);
  if (step.op == "gather_nd") return std::make_unique<GatherBlocks>(step);
  if (step.op == "scatter_elements") return std::make_unique<ScatterInto>(step);
  if (step.op == "scatter_nd") return std::make_unique<ScatterBlocks>();
  fail(ErrorCode::invalid_engine, "the gather family has no operator \"{}\"", step.op);
}

}  // namespace tenrec::cpu
