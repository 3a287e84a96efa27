// SPDX-License-Identifier: Apache-2.0
// The family "recurrent": LSTM, GRU and RNN in time-major order. The inputs of all steps go through
// one matrix product; each step then multiplies the states and fuses its gates.
#include "targets/cpu/run/recurrent_loops.h"

#include <algorithm>
#include <cstring>

#include "base/wire.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/runners.h"

namespace tenrec::cpu {
namespace {

// Multiply-adds below which meeting a second thread costs more than it saves.
constexpr int64_t worth_sharing = 128 << 10;

struct RecurrentOp {
  RecurrentLayer layer;                   // functions of direction 0, no weights
  std::vector<ActivationSpec> functions;  // of each direction in turn
  std::string direction;
};

template <class T>
RecurrentOp common(const T& op, Cell cell, int64_t gates,
                   const std::vector<std::string>& defaults) {
  TENREC_CHECK(op.layout == 0, invalid_engine, "the recurrent family wants layout 0");
  const size_t directions = op.direction == "bidirectional" ? 2 : 1;
  RecurrentOp out;
  out.layer.cell = cell;
  out.layer.shape.gates = gates;
  out.layer.shape.directions = static_cast<int64_t>(directions);
  out.layer.clip = op.clip;
  out.direction = op.direction;
  out.functions = resolve_activations(op.activations, op.activation_alpha, op.activation_beta,
                                      defaults, directions);
  return out;
}

RecurrentOp recurrent_op(const plan::Step& step) {
  const Op op = decode_step_op(step);
  if (const auto* lstm = op.as<LSTM>()) {
    RecurrentOp out = common(*lstm, Cell::lstm, 4, {"Sigmoid", "Tanh", "Tanh"});
    out.layer.input_forget = lstm->input_forget;
    return out;
  }
  if (const auto* gru = op.as<GRU>()) {
    RecurrentOp out = common(*gru, Cell::gru, 3, {"Sigmoid", "Tanh"});
    out.layer.shape.reset_after = gru->linear_before_reset;
    out.layer.shape.split = !gru->linear_before_reset;
    return out;
  }
  if (const auto* rnn = op.as<RNN>()) return common(*rnn, Cell::rnn, 1, {"Tanh"});
  fail(ErrorCode::invalid_engine, "the recurrent family has no operator \"{}\"", step.op);
}

// Floats of the workspace, part by part.
struct Workspace {
  int64_t inputs = 0, states = 0, memory = 0, update = 0, candidate = 0, packed = 0, total = 0;
};

class Recurrent final : public StepRunner {
 public:
  Recurrent(const plan::Step& step, RunEnvironment& environment)
      : op_(recurrent_op(step)),
        params_(decode<RecurrentParams>(step.params)),
        loops_(recurrent_loops(environment.isa)),
        threads_(environment.threads),
        shape_(op_.layer.shape) {
    shape_.block = block_of(environment.isa);
    const size_t most_outputs = op_.layer.cell == Cell::lstm ? 3 : 2;
    TENREC_CHECK(
        step.inputs.size() >= 3 && step.inputs.size() <= 8 && step.outputs.size() <= most_outputs,
        invalid_engine, "{} inputs and {} outputs", step.inputs.size(), step.outputs.size());
    TENREC_CHECK(!params_.packed || params_.directions == shape_.directions, invalid_engine,
                 "weights of {} directions", params_.directions);
  }

  void reshape(const StepArgs& args) override {
    const TensorView& x = args.inputs[0];
    TENREC_CHECK(x.dims.size() == 3, invalid_engine, "input 0 has {} axes", x.dims.size());
    time_ = x.dims[0];
    batch_ = x.dims[1];
    if (params_.packed) {
      shape_.features = params_.features;
      shape_.hidden = params_.hidden;
    } else {
      const TensorView& r = args.inputs[2];
      TENREC_CHECK(r.dims.size() == 3, invalid_engine, "input 2 has {} axes", r.dims.size());
      shape_.features = x.dims[2];
      shape_.hidden = r.dims[2];
    }
    check_sizes();
    check_inputs(args);
    check_outputs(args);
    lay_out();
  }

  uint64_t workspace_bytes() const override {
    return static_cast<uint64_t>(work_.total) * sizeof(float);
  }

  void run(const StepArgs& args) override {
    check_lengths(args);
    auto* memory = reinterpret_cast<float*>(args.scratch.data());
    const auto directions = static_cast<int>(shape_.directions);
    const float* const packed = weights(args, memory);
    for (int d = 0; d < directions; ++d) start(args, d, packed, memory);
    if (time_ * batch_ > 0 && shape_.hidden > 0) run_all();
    for (int d = 0; d < directions; ++d) finish(args, d);
  }

 private:
  struct Direction {
    RecurrentLayer layer;
    RecurrentStep step;
    float* inputs = nullptr;
    float* states[2] = {};  // of even and odd steps
    const float* x = nullptr;
  };

  void check_sizes() const {
    for (const int64_t size :
         {time_, batch_, shape_.features, shape_.hidden, time_ * batch_ / (1 << 10)}) {
      TENREC_CHECK(size >= 0 && size <= 1 << 20, unsupported,
                   "{} steps of {} sequences, {} features and {} units", time_, batch_,
                   shape_.features, shape_.hidden);
    }
  }

  void check_inputs(const StepArgs& args) const {
    const int64_t d = shape_.directions, h = shape_.hidden, rows = shape_.gates * h;
    std::array<PerAxis, 8> wanted{PerAxis{time_, batch_, shape_.features},
                                  {d, rows, shape_.features},
                                  {d, rows, h},
                                  {d, 2 * rows},
                                  {batch_},
                                  {d, batch_, h},
                                  {d, batch_, h},
                                  {d, 3 * h}};
    if (params_.packed) wanted[1] = {d * shape_.floats()};
    for (size_t i = 0; i < args.inputs.size(); ++i) {
      const TensorView& view = args.inputs[i];
      const bool inside = params_.packed && (i == 2 || i == 3 || i == 7);
      TENREC_CHECK(!inside || !view.def, invalid_engine, "input {} is packed into input 1", i);
      if (inside || (i >= 3 && !view.def)) continue;
      TENREC_CHECK(
          view.dtype == (i == 4 ? DType::i32 : DType::f32) && same_dims(view.dims, wanted[i]),
          invalid_engine, "input {} is {}{}, it must have shape {}", i, tenrec::name(view.dtype),
          tenrec::to_string(view.dims), tenrec::to_string(wanted[i]));
    }
  }

  void check_outputs(const StepArgs& args) const {
    const std::array<PerAxis, 2> wanted{PerAxis{time_, shape_.directions, batch_, shape_.hidden},
                                        {shape_.directions, batch_, shape_.hidden}};
    for (size_t i = 0; i < args.outputs.size(); ++i) {
      const TensorView& view = args.outputs[i];
      if (!view.def) continue;
      TENREC_CHECK(view.dtype == DType::f32 && same_dims(view.dims, wanted[std::min<size_t>(i, 1)]),
                   invalid_engine, "output {} is {}{}", i, tenrec::name(view.dtype),
                   tenrec::to_string(view.dims));
    }
  }

  void check_lengths(const StepArgs& args) const {
    const auto* lengths = optional<int32_t>(args, 4);
    for (int64_t n = 0; lengths && n < batch_; ++n) {
      TENREC_CHECK(lengths[n] >= 0 && lengths[n] <= time_, invalid_input,
                   "a sequence length is {}, expected 0 to {}", lengths[n], time_);
    }
  }

  void lay_out() {
    const int64_t states = shape_.directions * batch_ * shape_.width();
    int64_t next = 0;
    const auto place = [&](int64_t floats) {
      const int64_t at = next;
      next += (floats + 15) / 16 * 16;
      return at;
    };
    work_.inputs = place(shape_.directions * time_ * batch_ * shape_.columns());
    work_.states = place(2 * states);
    work_.memory = place(op_.layer.cell == Cell::lstm ? states : 0);
    work_.update = place(shape_.split ? states : 0);
    work_.candidate = place(shape_.split ? states : 0);
    work_.packed = place(params_.packed ? 0 : shape_.directions * shape_.floats());
    work_.total = next;
  }

  template <class T>
  static const T* optional(const StepArgs& args, size_t i) {
    return i < args.inputs.size() && args.inputs[i].def ? args.inputs[i].as<T>() : nullptr;
  }
  static float* output(const StepArgs& args, size_t i) {
    return i < args.outputs.size() && args.outputs[i].def ? args.outputs[i].as<float>() : nullptr;
  }

  void start(const StepArgs& args, int d, const float* packed, float* memory) {
    Direction& direction = directions_[static_cast<size_t>(d)];
    const int64_t states = batch_ * shape_.width(), all = states * shape_.directions;
    RecurrentLayer& layer = direction.layer;
    layer = op_.layer;
    layer.shape = shape_;
    const size_t each = op_.functions.size() / static_cast<size_t>(shape_.directions);
    std::copy_n(op_.functions.begin() + static_cast<ptrdiff_t>(each) * d, each,
                layer.functions.begin());
    layer.backwards = op_.direction == "reverse" || d == 1;
    layer.has_peepholes = op_.layer.cell == Cell::lstm && !params_.no_peepholes;
    layer.packed = packed + d * shape_.floats();
    direction.x = args.inputs[0].as<float>();
    direction.inputs = memory + work_.inputs + d * time_ * batch_ * shape_.columns();
    direction.states[0] = memory + work_.states + d * states;
    direction.states[1] = direction.states[0] + all;
    RecurrentStep& step = direction.step;
    step = {.time = time_, .batch = batch_, .lengths = optional<int32_t>(args, 4)};
    step.in = direction.inputs;
    step.c = memory + work_.memory + d * states;
    step.update = memory + work_.update + d * states;
    step.candidate = memory + work_.candidate + d * states;
    step.y_time = shape_.directions * batch_ * shape_.hidden;
    if (float* y = output(args, 0)) {
      step.y = y + d * batch_ * shape_.hidden;
      if (step.lengths) clear(step);
    }
    start_state(optional<float>(args, 5), d, direction.states[0]);
    if (layer.cell == Cell::lstm) start_state(optional<float>(args, 6), d, step.c);
  }

  // Weights that are no constants are packed anew each time.
  const float* weights(const StepArgs& args, float* memory) const {
    const auto* w = args.inputs[1].as<float>();
    if (params_.packed) return w;
    float* packed = memory + work_.packed;
    pack_recurrent(shape_, w, args.inputs[2].as<float>(), optional<float>(args, 3),
                   optional<float>(args, 7), packed);
    return packed;
  }

  // Outputs past the end of a sequence are 0.
  void clear(const RecurrentStep& step) const {
    for (int64_t t = 0; t < time_; ++t)
      std::fill_n(step.y + t * step.y_time, batch_ * shape_.hidden, 0.0F);
  }

  void start_state(const float* from, int d, float* to) const {
    const auto width = static_cast<size_t>(shape_.width());
    const auto hidden = static_cast<size_t>(shape_.hidden);
    for (int64_t n = 0; n < batch_; ++n, to += width) {
      std::fill_n(to, width, 0.0F);
      if (from) std::copy_n(from + (d * batch_ + n) * shape_.hidden, hidden, to);
    }
  }

  void run_all() {
    const auto blocks = static_cast<int>(shape_.blocks()), batch = static_cast<int>(batch_);
    const auto directions = static_cast<int>(shape_.directions);
    const int64_t input_work = time_ * batch_ * shape_.input_floats();
    const int64_t state_work = batch_ * shape_.state_floats();
    const int64_t work = directions * (input_work + time_ * state_work);
    const int threads = work < worth_sharing ? 1 : threads_.count();
    // One step: whoever has the inputs of some units goes on to their states.
    if (time_ == 1 && !shape_.split) {
      const int parts = std::min(threads, blocks);
      share_out(directions * parts, [&](int task) {
        inputs(task / parts, share(blocks, task % parts, parts));
        step(task / parts, 0, {0, batch}, share(blocks, task % parts, parts));
      });
      return;
    }
    const int input_parts = input_work < worth_sharing ? 1 : std::min(threads, blocks);
    share_out(threads == 1 ? 1 : directions * input_parts, [&](int task) {
      if (threads > 1)
        return inputs(task / input_parts, share(blocks, task % input_parts, input_parts));
      for (int d = 0; d < directions; ++d) inputs(d, {0, blocks});
    });
    const bool in_step = directions * batch == 1 && !shape_.split && state_work >= worth_sharing;
    if (threads > 1 && in_step) return steps_together(threads, blocks);
    const int groups = std::clamp(threads / directions, 1, batch);
    share_out(threads == 1 ? 1 : directions * groups, [&](int task) {
      if (threads > 1) return sequences(task / groups, share(batch, task % groups, groups), blocks);
      for (int d = 0; d < directions; ++d) sequences(d, {0, batch}, blocks);
    });
  }

  void share_out(int tasks, FunctionRef<void(int)> task) const {
    threads_.parallel(tasks, [&](int index, int) { task(index); });
  }

  // All threads meet after each step of the one sequence.
  void steps_together(int threads, int blocks) {
    const int parts = std::min(threads, blocks);
    for (int64_t t = 0; t < time_; ++t)
      share_out(parts, [&](int part) { step(0, t, {0, 1}, share(blocks, part, parts)); });
  }

  void sequences(int d, Share which, int blocks) {
    for (int64_t t = 0; t < time_; ++t) step(d, t, which, {0, blocks});
  }

  void inputs(int d, Share blocks) {
    const Direction& direction = directions_[static_cast<size_t>(d)];
    loops_.inputs(direction.layer, direction.x, {0, static_cast<int>(time_ * batch_)}, blocks,
                  direction.inputs);
  }

  void step(int d, int64_t t, Share sequences, Share blocks) const {
    const Direction& direction = directions_[static_cast<size_t>(d)];
    RecurrentStep step = direction.step;
    step.t = t;
    step.h = direction.states[t % 2];
    step.next = direction.states[(t + 1) % 2];
    loops_.step(direction.layer, step, sequences, blocks);
  }

  void finish(const StepArgs& args, int d) const {
    const Direction& direction = directions_[static_cast<size_t>(d)];
    const std::array<const float*, 2> last{direction.states[time_ % 2], direction.step.c};
    for (size_t i = 0; i < last.size(); ++i) {
      float* to = output(args, i + 1);
      if (!to) continue;
      for (int64_t n = 0; n < batch_; ++n) {
        std::copy_n(last[i] + n * shape_.width(), shape_.hidden,
                    to + (d * batch_ + n) * shape_.hidden);
      }
    }
  }

  RecurrentOp op_;
  RecurrentParams params_;
  RecurrentLoops loops_;
  const Threads& threads_;
  RecurrentShape shape_;
  int64_t time_ = 0, batch_ = 0;
  Workspace work_;
  std::array<Direction, 2> directions_;
};

}  // namespace

Runner prepare_recurrent(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<Recurrent>(step, environment);
}

}  // namespace tenrec::cpu
