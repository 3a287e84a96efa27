// SPDX-License-Identifier: Apache-2.0
// An Op is a type-erased operator struct. Everything generic about operators (print, parse,
// compare, serialise, infer, evaluate) comes from its `fields` and the members that concepts find
// on it.
//
// HOW TO ADD AN OPERATOR: write src/ops/foo.h
//
//   struct Foo {
//     int64_t axis = -1;
//     static auto fields(auto& s) { return std::tuple{field(1, "axis", s.axis)}; }
//     // Symbolic in, symbolic out. Omitted inputs are types that are not present().
//     Types infer(const Types& in) const;
//     // The oracle: plain loops, sums in double.
//     Tensors eval(const Tensors& in) const;
//     // Lifts older opsets to this form.
//     static Values from_onnx(const OnnxNode& node, OnnxContext& context);
//   };
//   TENREC_OP(Foo, "foo")
//
// and tests/cases/foo.cpp. CMake finds the TENREC_OP line; nothing else needs an edit.
//
// Optional members, detected by name:
//   nodes with bodies:
//     Types infer(const Types&, const std::vector<const Graph*>& bodies) const
//     Data eval_bodies(const Data&, const BodyRunner&) const
//     static constexpr bool body_is_region     body 0 computes on exactly the node's inputs
//   sequences and optionals, instead of eval:
//     Data eval_data(const Data&) const
//   pointwise operators, from which infer and eval follow:
//     template <class T> T apply(T...) const
//     std::optional<Dim> apply_dims(const Dim&...) const     the same on known integer values
//   any:
//     static constexpr Accuracy accuracy = exact() / rounding(k) / random_output()
//     static constexpr uint32_t narrowable     float inputs that may be computed in a narrow type:
//                                              all_inputs, or input_bit(0) | input_bit(2)
//     static constexpr bool side_effect, is_view
//     static constexpr bool data_dependent     output sizes known only by running
//     double flops(const Types& in, const Types& out) const
#pragma once
#include <any>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "ir/type.h"

namespace tenrec {

class Graph;
class Op;
class TextReader;  // ir/text.h
class TextWriter;
class Value;
using Values = std::vector<Value*>;  // null: an omitted optional input

// How far a correct implementation may be from the oracle.
struct Accuracy {
  enum class Kind { exact, rounding, random } kind = Kind::rounding;
  double ulps = 4;  // rounding: units in the last place per output, beside reduction length
};
constexpr Accuracy exact() { return {Accuracy::Kind::exact, 0}; }
constexpr Accuracy rounding(double ulps) { return {Accuracy::Kind::rounding, ulps}; }
constexpr Accuracy random_output() { return {Accuracy::Kind::random, 0}; }

// Sets of inputs.
constexpr uint32_t input_bit(size_t input) { return input < 32 ? uint32_t{1} << input : 0; }
constexpr uint32_t all_inputs = ~uint32_t{0};  // however many there are

// Runs body graph `index` of the node being evaluated.
using BodyRunner = std::function<Data(size_t index, const Data& inputs)>;

struct ExprProgram;  // ir/expr.h

// One table per operator type; `const OpInfo*` is the operator's identity.
struct OpInfo {
  std::string_view name;
  Accuracy accuracy;
  bool side_effect = false;
  bool is_view = false;
  bool data_dependent = false;
  bool pointwise = false;
  bool body_is_region = false;  // body 0 computes on exactly the node's inputs
  // Inputs whose floats are data; those of the others are positions, sizes, scales. Pointwise
  // operators: all.
  uint32_t narrowable = 0;
  bool is_narrowable(size_t input) const {
    return narrowable == all_inputs || (narrowable & input_bit(input)) != 0;
  }

  // Plain functions on the operator struct (`const void*`): made once an operator, so cheap to
  // compile.
  Types (*infer)(const void*, const Types&, const std::vector<const Graph*>&) = nullptr;
  Data (*eval)(const void*, const Data&, const BodyRunner&) = nullptr;
  double (*flops)(const void*, const Types&, const Types&) = nullptr;  // null: outputs' elements
  // Pointwise only: records `apply` on typed leaves; see ir/expr.h.
  ExprProgram (*record)(const void*, const std::vector<DType>& inputs) = nullptr;

  bool (*equal)(const void*, const void*) = nullptr;
  std::string (*print)(const void*, TextWriter&) = nullptr;           // "axis=1, keep=true"
  std::shared_ptr<void> (*parse)(TextReader&) = nullptr;              // what print wrote
  std::string (*encode)(const void*) = nullptr;                       // protobuf wire bytes
  std::shared_ptr<void> (*decode)(std::string_view bytes) = nullptr;  // untrusted bytes: Error
};

class Op {
 public:
  Op() = default;
  template <HasFields T>
  Op(T op)  // NOLINT: an operator struct is an Op
      : info_(&op_info_of(static_cast<const T*>(nullptr))),
        object_(std::make_shared<T>(std::move(op))) {}
  Op(const OpInfo& info, std::shared_ptr<const void> object)
      : info_(&info), object_(std::move(object)) {}

  explicit operator bool() const { return info_ != nullptr; }
  const OpInfo& info() const { return *info_; }
  std::string_view name() const { return info_->name; }
  const void* object() const { return object_.get(); }
  template <class T>
  const T* as() const {
    return info_ == &op_info_of(static_cast<const T*>(nullptr))
               ? static_cast<const T*>(object_.get())
               : nullptr;
  }

  Types infer(const Types& in, const std::vector<const Graph*>& bodies = {}) const {
    return info_->infer(object_.get(), in, bodies);
  }
  Data eval(const Data& in, const BodyRunner& run_body = {}) const {
    return info_->eval(object_.get(), in, run_body);
  }
  std::string print(TextWriter& writer) const { return info_->print(object_.get(), writer); }
  std::string encode() const { return info_->encode(object_.get()); }
  friend bool operator==(const Op& a, const Op& b) {
    return a.info_ == b.info_ && (!a.info_ || a.info_->equal(a.object_.get(), b.object_.get()));
  }

 private:
  const OpInfo* info_ = nullptr;
  std::shared_ptr<const void> object_;
};

// ONNX side of the registry: (domain, op_type) -> function that maps a node. Filled by TENREC_OP
// (operators with from_onnx or the default mapping) and TENREC_ONNX (composites).
class OnnxNode;
class OnnxContext;
using OnnxMapping = Values (*)(const OnnxNode&, OnnxContext&);

// The registry. Filled by init_ops() before main does work, then read-only.
void register_op(const OpInfo& info);
void register_onnx(std::string_view domain, std::string_view op_type, OnnxMapping mapping);
const OpInfo* find_op(std::string_view name);
OnnxMapping find_onnx(std::string_view domain, std::string_view op_type);
std::vector<const OpInfo*> all_ops();                         // ordered by name
std::vector<std::pair<std::string, std::string>> all_onnx();  // (domain, op_type), ordered
void init_ops();                                              // idempotent, thread-safe

}  // namespace tenrec
