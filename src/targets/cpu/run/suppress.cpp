// SPDX-License-Identifier: Apache-2.0
// The family "suppress": non-maximum suppression. Most pairs of boxes have nothing in common, which
// a vector of kept boxes tells with four comparisons; the others are compared as the operator's own
// code does, in float32.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/suppress.cpp"
#include "targets/cpu/run/highway_each.h"

#include <algorithm>
#include <vector>

#include "hwy/highway.h"
#include "ops/non_max_suppression.h"
#include "targets/cpu/run/runners.h"
#include "targets/cpu/run/suppress.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The first kept box from `from` on that may share an area with the box; kept.size() if none.
size_t first_touching(const KeptBoxes& kept, const Box& box, size_t from) {
  using F = hn::CappedTag<float, 16>;
  constexpr F f{};
  const size_t lanes = hn::Lanes(f), end = kept.top.size();
  const auto top = hn::Set(f, box.top), left = hn::Set(f, box.left);
  const auto bottom = hn::Set(f, box.bottom), right = hn::Set(f, box.right);
  size_t i = from;
  for (; i + lanes <= end; i += lanes) {
    const auto rows = hn::And(hn::Gt(hn::LoadU(f, &kept.bottom[i]), top),
                              hn::Lt(hn::LoadU(f, &kept.top[i]), bottom));
    const auto columns = hn::And(hn::Gt(hn::LoadU(f, &kept.right[i]), left),
                                 hn::Lt(hn::LoadU(f, &kept.left[i]), right));
    const auto found = hn::FindFirstTrue(f, hn::And(rows, columns));
    if (found >= 0) return i + static_cast<size_t>(found);
  }
  for (; i < end; ++i) {
    if (kept.bottom[i] > box.top && kept.top[i] < box.bottom && kept.right[i] > box.left &&
        kept.left[i] < box.right)
      return i;
  }
  return end;
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {
namespace {

class SuppressRunner final : public StepRunner {
 public:
  SuppressRunner(NonMaxSuppression op, Isa isa)
      : op_(op), first_touching_(TENREC_CPU_PICK(isa, first_touching)) {}

  void reshape(const StepArgs& args) override {
    const TensorView &boxes = args.inputs[0], &scores = args.inputs[1];
    const auto type = [&](size_t i, DType dtype) {
      return i >= args.inputs.size() || !args.inputs[i].def || args.inputs[i].dtype == dtype;
    };
    TENREC_CHECK(boxes.dims.size() == 3 && scores.dims.size() == 3 &&
                     boxes.dims[0] == scores.dims[0] && boxes.dims[1] == scores.dims[2] &&
                     boxes.dims[2] == 4 && type(0, DType::f32) && type(1, DType::f32) &&
                     type(2, DType::i64) && type(3, DType::f32) && type(4, DType::f32) &&
                     args.outputs[0].dtype == DType::i64,
                 invalid_engine, "boxes {} {} with scores {} {} cannot be suppressed",
                 tenrec::name(boxes.dtype), tenrec::to_string(boxes.dims),
                 tenrec::name(scores.dtype), tenrec::to_string(scores.dims));
  }

  void run(const StepArgs& args) override {
    const std::span<const int64_t> dims = args.inputs[1].dims;
    const auto most = value_or<int64_t>(args, 2, 0);
    selected_.clear();
    for (int64_t line = 0; line < dims[0] * dims[1] && most > 0; ++line)
      run_class(args, line, static_cast<size_t>(most));
    const std::array<int64_t, 2> found{static_cast<int64_t>(selected_.size() / 3), 3};
    if (args.resize_output) (*args.resize_output)(0, found);
    std::copy_n(selected_.begin(),
                std::min<size_t>(selected_.size(), static_cast<size_t>(args.outputs[0].elements())),
                args.outputs[0].as<int64_t>());
  }

 private:
  template <class T>
  static T value_or(const StepArgs& args, size_t i, T fallback) {
    const bool there =
        i < args.inputs.size() && args.inputs[i].def && args.inputs[i].elements() > 0;
    return there ? args.inputs[i].as<T>()[0] : fallback;
  }

  // Of one image and class: boxes by falling score, each kept unless it overlaps a kept one.
  void run_class(const StepArgs& args, int64_t line, size_t most) {
    const int64_t count = args.inputs[1].dims[2], classes = args.inputs[1].dims[1];
    const float* score = args.inputs[1].as<float>() + line * count;
    const float* boxes = args.inputs[0].as<float>() + line / classes * count * 4;
    const bool has_limit =
        args.inputs.size() > 4 && args.inputs[4].def && args.inputs[4].elements() > 0;
    const auto least = value_or<float>(args, 4, 0);
    const auto threshold = value_or<float>(args, 3, 0);
    order_.clear();
    for (int64_t i = 0; i < count; ++i) {
      if (!has_limit || score[i] > least) order_.push_back({score[i], i});
    }
    std::stable_sort(order_.begin(), order_.end(),
                     [](const Scored& a, const Scored& b) { return a.score > b.score; });
    kept_.clear();
    for (const Scored& candidate : order_) {
      if (kept_.top.size() >= most) break;
      const Box box = box_at(boxes + candidate.box * 4, op_.center_point_box);
      if (is_suppressed(box, threshold)) continue;
      kept_.add(box);
      selected_.insert(selected_.end(), {line / classes, line % classes, candidate.box});
    }
  }

  bool is_suppressed(const Box& box, float threshold) const {
    const size_t end = kept_.top.size();
    for (size_t i = 0; (i = first_touching_(kept_, box, i)) < end; ++i) {
      if (overlaps(box, kept_.at(i), threshold)) return true;
    }
    return false;
  }

  struct Scored {
    float score;
    int64_t box;
  };
  NonMaxSuppression op_;
  size_t (*first_touching_)(const KeptBoxes&, const Box&, size_t);
  std::vector<Scored> order_;
  KeptBoxes kept_;
  std::vector<int64_t> selected_;
};

}  // namespace

Runner prepare_suppress(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<SuppressRunner>(step_op<NonMaxSuppression>(step), environment.isa);
}

}  // namespace tenrec::cpu
#endif
