// SPDX-License-Identifier: Apache-2.0
// The contract between compiler and runtime: pure data, no pointers, validated before use.
//
// A Plan is one profile's program. All sizes are slots of the dim program: slot i of a run holds an
// int64 (symbols first, then one slot an instruction). Symbols get their value from input dims,
// from the values of shape inputs, or from the step that defines them (data-dependent sizes).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/fields.h"

namespace tenrec::plan {

constexpr int64_t unbounded = INT64_MAX;
constexpr int32_t none = -1;

enum class SymbolSource : uint8_t {
  input_dim = 0,    // `index` = plan input, `element` = axis
  input_value = 1,  // `index` = plan input, `element` = element; float32 inputs: its bits
  step = 2,         // `index` = step, `element` = position in Step::defines
  outer = 3,        // bodies only: slot `index` of the enclosing plan
};

struct SymbolDef {
  std::string name;
  SymbolSource source = SymbolSource::input_dim;
  int32_t index = 0;
  int32_t element = 0;
  int64_t lower = 0;
  int64_t upper = unbounded;
  bool is_float = false;
  static auto fields(auto& s) {
    return std::tuple{field(1, "name", s.name),        field(2, "source", s.source),
                      field(3, "index", s.index),      field(4, "element", s.element),
                      field(5, "lower", s.lower),      field(6, "upper", s.upper),
                      field(7, "is_float", s.is_float)};
  }
};

// slot[symbols + i] = op(slot a, slot b). `a`, `b` may be symbols and earlier instructions only.
enum class DimOp : uint8_t {
  constant = 0,
  add = 1,
  sub = 2,
  mul = 3,
  floordiv = 4,
  mod = 5,
  min = 6,
  max = 7,
  scaled = 8,     // int64(float(a) * float_bits(b)), product rounded to float32
  broadcast = 9,  // a == 1 ? b : a
};
struct DimInstruction {
  DimOp op = DimOp::constant;
  int32_t a = none, b = none;
  int64_t constant = 0;
  static auto fields(auto& s) {
    return std::tuple{field(1, "op", s.op), field(2, "a", s.a), field(3, "b", s.b),
                      field(4, "constant", s.constant)};
  }
};

// Run-time check: slot a (relation) slot b, evaluated as soon as both are known.
enum class Relation : uint8_t { equal = 0, greater_equal = 1, equal_or_one = 2 /* b in {1, a} */ };
struct Check {
  Relation relation = Relation::equal;
  int32_t a = none, b = none;
  std::string message;  // names the node and what must hold
  static auto fields(auto& s) {
    return std::tuple{field(1, "relation", s.relation), field(2, "a", s.a), field(3, "b", s.b),
                      field(4, "message", s.message)};
  }
};

enum class Storage : uint8_t {
  arena = 0,   // placed by the memory planner
  weight = 1,  // `index` = weight of the engine
  input = 2,   // `index` = plan input
  output = 3,  // `index` = plan output; written in place
  dims = 4,    // small i64/i32/f32 host tensor computed from slots `elements`
  alias = 5,   // of value `index`, starting `offset` bytes (a slot) in
  host = 6,    // sequences, optionals, strings: a host Datum
};

struct ValueDef {
  std::string name;
  DType dtype = DType::f32;
  Storage storage = Storage::arena;
  int32_t index = none;
  int32_t offset = none;      // slot, alias only; none = 0
  std::vector<int32_t> dims;  // slots, logical dims; unknown rank: `ranked` false
  bool ranked = true;
  int32_t block_axis = -1;  // layout, as ir/type.h
  int64_t block = 0;
  bool channels_last = false;
  std::vector<int32_t> elements;    // Storage::dims
  int32_t bytes = none;             // slot: size in bytes in its layout
  int64_t upper_bytes = unbounded;  // bound inside the profile
  int64_t arena_offset = -1;        // bounded plans: placed at build time; -1: placed at run time
  static auto fields(auto& s) {
    return std::tuple{field(1, "name", s.name),
                      field(2, "dtype", s.dtype),
                      field(3, "storage", s.storage),
                      field(4, "index", s.index),
                      field(5, "offset", s.offset),
                      field(6, "dims", s.dims),
                      field(7, "ranked", s.ranked),
                      field(8, "block_axis", s.block_axis),
                      field(9, "block", s.block),
                      field(10, "channels_last", s.channels_last),
                      field(11, "elements", s.elements),
                      field(12, "bytes", s.bytes),
                      field(13, "upper_bytes", s.upper_bytes),
                      field(14, "arena_offset", s.arena_offset)};
  }
};

// A step that defines sizes is either one that runs and then knows the true dims of its outputs, or
// one of family "infer": no outputs, its operator's inference runs on the inputs' actual values,
// and `output` counts the operator's outputs.
struct Define {
  int32_t symbol = none;  // slot
  int32_t output = 0;
  int32_t axis = 0;
  static auto fields(auto& s) {
    return std::tuple{field(1, "symbol", s.symbol), field(2, "output", s.output),
                      field(3, "axis", s.axis)};
  }
};

struct Step {
  std::string family;     // kernel family compiled into the runtime: "generic", "conv_direct", ...
  std::string tactic;     // its parameters as text, e.g. "tile=6x2 band=96"
  std::string op;         // operator name, for `generic` and for messages
  std::string op_fields;  // the operator's fields in wire format
  std::string params;     // the family's own parameters, in wire format of its struct
  std::vector<int32_t> inputs;   // values; none = omitted
  std::vector<int32_t> outputs;  // values; none = not wanted
  std::vector<int32_t> bodies;   // plan indices of If/Loop/Scan bodies (Plan::bodies)
  int32_t scratch = none;        // slot: bytes of scratch wanted; none = 0
  int64_t scratch_upper = 0;
  int64_t scratch_offset = -1;  // as ValueDef::arena_offset
  std::vector<Define> defines;  // symbols this step determines by running
  std::vector<std::string> origins;
  std::vector<int32_t> sizes;  // slots whose numbers the family wants when it runs
  std::vector<int32_t> code;   // device code of the step: indices of the engine's code table
  int64_t flops = 0;  // floating-point operations at the profile's opt point; for people only
  int64_t bytes = 0;  // of its arguments that it must read or write, at the same point
  static auto fields(auto& s) {
    return std::tuple{field(1, "family", s.family),
                      field(2, "tactic", s.tactic),
                      field(3, "op", s.op),
                      field(4, "op_fields", s.op_fields),
                      field(5, "params", s.params),
                      field(6, "inputs", s.inputs),
                      field(7, "outputs", s.outputs),
                      field(8, "bodies", s.bodies),
                      field(9, "scratch", s.scratch),
                      field(10, "scratch_upper", s.scratch_upper),
                      field(11, "scratch_offset", s.scratch_offset),
                      field(12, "defines", s.defines),
                      field(13, "origins", s.origins),
                      field(14, "sizes", s.sizes),
                      field(15, "code", s.code),
                      field(16, "flops", s.flops),
                      field(17, "bytes", s.bytes)};
  }
};

// min/opt/max of one input: its dims, or for shape inputs its values.
struct Range {
  std::vector<int64_t> min, opt, max;  // max entries may be `unbounded` (open profile)
  static auto fields(auto& s) {
    return std::tuple{field(1, "min", s.min), field(2, "opt", s.opt), field(3, "max", s.max)};
  }
};

// A Storage::host value that nothing writes: strings cannot lie in WEIGHTS.
struct StringConstant {
  int32_t value = none;
  std::vector<int64_t> dims;
  std::vector<std::string> strings;
  static auto fields(auto& s) {
    return std::tuple{field(1, "value", s.value), field(2, "dims", s.dims),
                      field(3, "strings", s.strings)};
  }
};

struct Plan {
  std::vector<SymbolDef> symbols;
  std::vector<DimInstruction> program;
  std::vector<Check> checks;
  std::vector<ValueDef> values;
  std::vector<int32_t> inputs;  // values, in model order
  std::vector<int32_t> outputs;
  std::vector<Step> steps;
  std::vector<Plan> bodies;         // nested plans, referenced by steps
  std::vector<Range> ranges;        // one per input; profile bounds (dims)
  std::vector<Range> value_ranges;  // one per input; empty ranges where it is no shape input
  int64_t arena_bytes = -1;         // bounded plans: total; -1: open
  std::vector<StringConstant> strings;
  static auto fields(auto& s) {
    return std::tuple{field(1, "symbols", s.symbols),
                      field(2, "program", s.program),
                      field(3, "checks", s.checks),
                      field(4, "values", s.values),
                      field(5, "inputs", s.inputs),
                      field(6, "outputs", s.outputs),
                      field(7, "steps", s.steps),
                      field(8, "bodies", s.bodies),
                      field(9, "ranges", s.ranges),
                      field(10, "value_ranges", s.value_ranges),
                      field(11, "arena_bytes", s.arena_bytes),
                      field(12, "strings", s.strings)};
  }
};

// A weight is a span of the WEIGHTS section, shared by profiles and contexts.
struct Weight {
  DType dtype = DType::f32;
  std::vector<int64_t> dims;
  uint64_t offset = 0;  // 64-byte aligned
  uint64_t bytes = 0;
  static auto fields(auto& s) {
    return std::tuple{field(1, "dtype", s.dtype), field(2, "dims", s.dims),
                      field(3, "offset", s.offset), field(4, "bytes", s.bytes)};
  }
};

// Generated device code: the text it is made from and what a compiler made of it. Entries of the
// two tables of an engine (SOURCE and CODE) belong together by position.
struct KernelSource {
  std::string name;  // for people: "pointwise"
  std::string text;
  static auto fields(auto& s) {
    return std::tuple{field(1, "name", s.name), field(2, "text", s.text)};
  }
};
struct KernelImage {
  std::string key;    // hash of text, architecture and compiler
  std::string bytes;  // what the device loads
  static auto fields(auto& s) {
    return std::tuple{field(1, "key", s.key), field(2, "bytes", s.bytes)};
  }
};

struct Binding {  // one input or output of the model
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::string> dims;  // declared text: "N", "3", "?" ; for people
  bool ranked = true;
  bool is_shape_input = false;  // its value decides shapes
  bool is_host = false;         // strings, sequences, optionals
  static auto fields(auto& s) {
    return std::tuple{field(1, "name", s.name),
                      field(2, "dtype", s.dtype),
                      field(3, "dims", s.dims),
                      field(4, "ranked", s.ranked),
                      field(5, "is_shape_input", s.is_shape_input),
                      field(6, "is_host", s.is_host)};
  }
};

struct Meta {
  std::string builder_version;
  std::string target;   // "cpu"
  std::string device;   // fingerprint: "cpu avx2 fma"
  std::string options;  // canonical text of the build options
  std::string model_name;
  std::vector<std::string> notes;  // what the builder said (precision kept wide, ...)
  static auto fields(auto& s) {
    return std::tuple{field(1, "builder_version", s.builder_version),
                      field(2, "target", s.target),
                      field(3, "device", s.device),
                      field(4, "options", s.options),
                      field(5, "model_name", s.model_name),
                      field(6, "notes", s.notes)};
  }
};

}  // namespace tenrec::plan
