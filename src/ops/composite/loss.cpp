// SPDX-License-Identifier: Apache-2.0
#include "ops/composite/loss.h"

#include "ops/composite/helpers.h"
#include "ops/elementwise.h"
#include "ops/gather.h"
#include "ops/gather_elements.h"
#include "ops/movement.h"
#include "ops/reduce.h"
#include "ops/softmax.h"
#include "ops/squeeze.h"

namespace tenrec {
namespace {

Value* sum_of(OnnxContext& context, Value* value) {
  return context.one(Reduce{.kind = ReduceKind::sum, .keepdims = false}, {value});
}

void check_shapes(const Type& scores, const Type& target, const Value* weights) {
  if (weights) check_list(weights->type, "the weights");
  if (!scores.ranked) return;
  TENREC_CHECK(scores.rank() >= 2, invalid_model, "the scores are {}, expected [N, C, ...]",
               scores.str());
  if (weights && weights->type.ranked)
    agreed(weights->type.shape[0], scores.shape[1], "weights and classes");
  if (!target.ranked) return;
  TENREC_CHECK(target.rank() == scores.rank() - 1, invalid_model,
               "a target {} for scores {}: expected the same axes without the classes",
               target.str(), scores.str());
  for (size_t i = 0; i < target.shape.size(); ++i)
    agreed(target.shape[i], scores.shape[i == 0 ? 0 : i + 1], "scores and target");
}

// The loss of log-probabilities [N, C, ...] for classes [N, ...].
Value* loss_of(const OnnxNode& node, OnnxContext& context, Value* log_probabilities, Value* target,
               Value* class_weights) {
  const DType dtype = log_probabilities->type.dtype;
  check_shapes(log_probabilities->type, target->type, class_weights);
  Value* ignored = nullptr;
  if (node.has("ignore_index")) {
    const double index = static_cast<double>(node.integer("ignore_index"));
    ignored = context.one(Equal{}, {target, number(context, index, target->type.dtype)});
    // Any class that exists: its loss gets the weight zero.
    target = context.one(Where{}, {ignored, number(context, 0, target->type.dtype), target});
  }
  Value* channel = index_vector(context, {1});
  Value* columns = context.one(Unsqueeze{}, {target, channel});
  Value* picked = context.one(GatherElements{1}, {log_probabilities, columns});
  Value* loss = context.one(Neg{}, {context.one(Squeeze{}, {picked, channel})});
  Value* weight = class_weights ? context.one(Gather{0}, {class_weights, target}) : nullptr;
  if (ignored) {
    Value* kept = weight ? weight : number(context, 1, dtype);
    weight = context.one(Where{}, {ignored, number(context, 0, dtype), kept});
  }
  if (weight) loss = context.one(Mul{}, {loss, weight});

  const std::string reduction = node.text("reduction", "mean");
  if (reduction == "none") return loss;
  if (reduction == "sum") return sum_of(context, loss);
  TENREC_CHECK(reduction == "mean", invalid_model,
               "reduction is \"{}\", expected none, sum or mean", reduction);
  if (!weight) return context.one(Reduce{.kind = ReduceKind::mean, .keepdims = false}, {loss});
  return context.one(Div{}, {sum_of(context, loss), sum_of(context, weight)});
}

}  // namespace

Values negative_log_likelihood_loss(const OnnxNode& node, OnnxContext& context) {
  Value* input = needed_input(context, 0, "the log-probabilities");
  Value* target = needed_input(context, 1, "the target");
  return {loss_of(node, context, input, target, context.input(2))};
}

Values softmax_cross_entropy_loss(const OnnxNode& node, OnnxContext& context) {
  Value* scores = needed_input(context, 0, "the scores");
  Value* labels = needed_input(context, 1, "the labels");
  Value* log_probabilities = context.one(LogSoftmax{1}, {scores});
  return {loss_of(node, context, log_probabilities, labels, context.input(2)), log_probabilities};
}

}  // namespace tenrec
