// SPDX-License-Identifier: Apache-2.0
// If, Loop and Scan over tensors: their bodies run where the tensors lie. Strings, sequences and
// optionals are the host's, and so is the control flow around them.
#include "base/wire.h"
#include "ops/if.h"
#include "ops/loop.h"
#include "ops/scan.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/loops.h"
#include "targets/cuda/run/bodies_params.h"

namespace tenrec::cuda {
namespace {

bool is_plain_tensor(const Type& type) {
  return type.kind == Type::Kind::tensor && type.layout.is_plain() && type.dtype != DType::string;
}

bool are_plain_tensors(const Node& node) {
  const auto is_fine = [](const Value* value) { return !value || is_plain_tensor(value->type); };
  const auto are_fine = [&](const auto& values) {
    return std::all_of(values.begin(), values.end(),
                       [&](const auto& value) { return is_fine(&*value); });
  };
  for (const Value* input : node.inputs()) {
    if (!is_fine(input)) return false;
  }
  if (!are_fine(node.outputs())) return false;
  for (const Graph* body : node.bodies()) {
    if (!are_fine(body->inputs()) || !are_fine(body->outputs())) return false;
  }
  return true;
}

// Rows of a sequence lie one behind the other.
bool is_whole_bytes(const Type& row) {
  const int bits = bit_width(row.dtype);
  return bits >= 8 || (row.ranked && is_multiple(product(row.shape), 8 / bits));
}

// What a Loop or Scan collects, and what a Scan goes through.
bool rows_are_whole_bytes(const Node& node) {
  const auto* loop = node.as<Loop>();
  const auto* scan = node.as<Scan>();
  if (!loop && !scan) return true;
  const Graph& body = node.body(0);
  const auto carried = static_cast<size_t>(loop ? loop->carried + 1 : scan->states);
  for (size_t i = carried; i < body.outputs().size(); ++i) {
    if (!is_whole_bytes(body.outputs()[i]->type)) return false;
  }
  for (size_t i = 0; scan && i < static_cast<size_t>(scan->scanned); ++i) {
    if (!is_whole_bytes(body.inputs()[carried + i]->type)) return false;
  }
  return true;
}

bool all_zero(const std::vector<int64_t>& axes) {
  return std::all_of(axes.begin(), axes.end(), [](int64_t axis) { return axis == 0; });
}

std::vector<CollectedRow> rows_of(const std::vector<EmptyOutput>& collected) {
  std::vector<CollectedRow> rows;
  for (const EmptyOutput& output : collected) rows.push_back({output.dims, false});
  return rows;
}

BodiesParams params_of(const Node& node) {
  if (const auto* loop = node.as<Loop>())
    return {
        .kind = BodyKind::loop, .carried = loop->carried, .collected = rows_of(loop->collected)};
  const auto* scan = node.as<Scan>();
  if (!scan) return {};
  BodiesParams params{
      .kind = BodyKind::scan, .carried = scan->states, .collected = rows_of(scan->collected)};
  params.backward = scan->input_directions;
  params.backward.resize(static_cast<size_t>(scan->scanned));
  for (size_t i = 0; i < scan->output_directions.size() && i < params.collected.size(); ++i)
    params.collected[i].backward = scan->output_directions[i] == 1;
  return params;
}

class Bodies final : public Kernel {
 public:
  std::string_view name() const override { return "bodies"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const auto* scan = node.as<Scan>();
    if (!node.as<If>() && !node.as<Loop>() && !scan) return "no control flow";
    if (!are_plain_tensors(node)) return "something else than row-major tensors of numbers";
    if (!rows_are_whole_bytes(node)) return "rows that begin within a byte";
    if (!scan) return "";
    if (scan->batched) return "a batch of scans";
    if (!all_zero(scan->input_axes) || !all_zero(scan->output_axes))
      return "slices that are not contiguous";
    return "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    draft.params = encode(params_of(node));
    return draft;
  }
};

}  // namespace

const Kernel& bodies_kernel() {
  static const Bodies kernel;
  return kernel;
}

}  // namespace tenrec::cuda
