// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/tile_program.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "targets/cpu/run/expr_match.h"

namespace tenrec::cpu {

// Compiles in three moves: operations on virtual registers (one a value), then fusing of multiply
// and add, then slots by liveness.
class TileCompiler {
 public:
  TileCompiler(const ExprProgram& program, Isa isa, TileProgram& out)
      : program_(program), isa_(isa), out_(out) {}

  std::string compile() {
    out_.inputs_ = program_.inputs;
    out_.outputs_ = static_cast<int>(program_.outputs.size());
    out_.input_types_.assign(static_cast<size_t>(program_.inputs), DType::undefined);
    find_live();
    value_of_.assign(program_.nodes.size(), -1);
    for (size_t i = 0; i < program_.nodes.size(); ++i) {
      if (!live_[i]) continue;
      std::string reason = node(i);
      if (!reason.empty()) return reason;
    }
    for (size_t k = 0; k < program_.outputs.size(); ++k) output(k);
    fuse_multiply_add();
    assign_slots();
    return "";
  }

 private:
  enum class Place { input, constant, slot, output };
  struct Virtual {
    Place place = Place::slot;
    int32_t index = -1;  // input, constant, slot or output number
    DType reg = DType::f32;
  };
  struct Operation {
    TileFn fn = nullptr;
    std::array<int32_t, 3> args{-1, -1, -1};
    int32_t to = -1;
    bool same_width = true;  // may write over its operand
    Fn kind = Fn::constant;  // add, sub, mul on f32 only: what fusing looks at
    bool dead = false;
  };

  const ExprNode& at(int32_t i) const { return program_.nodes[static_cast<size_t>(i)]; }

  // x where node i is x * 0.5 * (erf(x / sqrt(2)) + 1) of f32 as the operator Gelu records it; -1.
  int32_t gelu_of(int32_t i) const {
    const ExprMatcher match(program_);
    // Constants are of the node's type.
    const auto beside = [&](int32_t node, Fn fn, float number) {
      const auto found = match.with_number(node, fn);
      return found && static_cast<float>(found->number) == number ? found->x : -1;
    };
    if (at(i).fn != Fn::mul || at(i).dtype != DType::f32) return -1;
    for (const auto& [half, sum] : match.operands(i)) {
      const int32_t erf = beside(sum, Fn::add, 1), x = beside(half, Fn::mul, 0.5F);
      if (erf < 0 || x < 0 || at(erf).fn != Fn::erf) continue;
      if (beside(at(erf).a, Fn::mul, 0.70710678F) == x) return x;
    }
    return -1;
  }

  void find_live() {
    live_.assign(program_.nodes.size(), false);
    for (const int32_t output : program_.outputs) live_[static_cast<size_t>(output)] = true;
    for (size_t i = program_.nodes.size(); i-- > 0;) {
      if (!live_[i]) continue;
      if (const int32_t x = gelu_of(static_cast<int32_t>(i)); x >= 0) {
        live_[static_cast<size_t>(x)] = true;
        continue;
      }
      for (const int32_t arg : {program_.nodes[i].a, program_.nodes[i].b, program_.nodes[i].c}) {
        if (arg >= 0) live_[static_cast<size_t>(arg)] = true;
      }
    }
  }

  int32_t new_virtual(Place place, int32_t index, DType reg) {
    virtuals_.push_back({place, index, reg});
    return static_cast<int32_t>(virtuals_.size() - 1);
  }

  int32_t emit(TileFn fn, std::array<int32_t, 3> args, DType reg, double cost = 1) {
    Operation operation{.fn = fn, .args = args, .to = new_virtual(Place::slot, -1, reg)};
    for (const int32_t arg : args) {
      if (arg >= 0 && bit_width(virtuals_[static_cast<size_t>(arg)].reg) != bit_width(reg)) {
        operation.same_width = false;
      }
    }
    operations_.push_back(operation);
    out_.cost_ += cost;
    return operation.to;
  }

  int32_t constant(DType reg, double number, int64_t integer) {
    std::array<std::byte, 8> bits{};
    const auto put = [&](auto value) { std::memcpy(bits.data(), &value, sizeof value); };
    switch (reg) {
      case DType::f32: put(static_cast<float>(number)); break;
      case DType::f64: put(number); break;
      case DType::i32:
      case DType::u32: put(static_cast<uint32_t>(static_cast<uint64_t>(integer))); break;
      default: put(integer); break;
    }
    const size_t size = static_cast<size_t>(bit_width(reg)) / 8;
    const auto index = static_cast<int32_t>(out_.constants_.size() / tile_splat_bytes);
    for (size_t filled = 0; filled < tile_splat_bytes; filled += size) {
      out_.constants_.insert(out_.constants_.end(), bits.begin(),
                             bits.begin() + static_cast<long>(size));
    }
    return new_virtual(Place::constant, index, reg);
  }

  std::string node(size_t i) {
    const ExprNode& n = program_.nodes[i];
    const DType reg = register_type(n.dtype);
    if (reg == DType::undefined) return fmt::format("{} values", tenrec::name(n.dtype));
    if (const int32_t x = gelu_of(static_cast<int32_t>(i)); x >= 0) {
      const TileFn gelu = tile_extra(isa_, TileExtra::gelu, reg);
      value_of_[i] = emit(gelu, {value_of_[static_cast<size_t>(x)], -1, -1}, reg, cost_of(Fn::erf));
      return "";
    }
    int32_t value = -1;
    switch (n.fn) {
      case Fn::input: value = input(n, reg); break;
      case Fn::constant: value = constant(reg, n.value, n.integer); break;
      case Fn::cast: value = cast(n); break;
      default: value = call(n, reg); break;
    }
    if (value < 0) return fmt::format("{} on {}", tenrec::name(n.fn), tenrec::name(at(n.a).dtype));
    value_of_[i] = value;
    return "";
  }

  int32_t input(const ExprNode& n, DType reg) {
    DType& type = out_.input_types_[static_cast<size_t>(n.input)];
    if (type != DType::undefined && type != n.dtype) return -1;
    type = n.dtype;
    const int32_t raw = new_virtual(Place::input, n.input, n.dtype);
    const TileFn load = tile_load(isa_, n.dtype);
    if (!load) return raw;
    return emit(load, {raw, -1, -1}, reg);
  }

  int32_t cast(const ExprNode& n) {
    const DType from = register_type(at(n.a).dtype);
    const DType reg = register_type(n.dtype);
    const int32_t source = value_of_[static_cast<size_t>(n.a)];
    const bool rounds =
        n.dtype == DType::f16 || n.dtype == DType::bf16 || n.dtype == DType::boolean;
    if (at(n.a).dtype == n.dtype) return source;
    const TileFn fn = tile_cast(isa_, from, rounds ? n.dtype : reg);
    if (!fn) return -1;
    int32_t value = from == reg && !rounds ? source : emit(fn, {source, -1, -1}, reg, 2);
    if (const TileFn wrap = tile_wrap(isa_, n.dtype)) value = emit(wrap, {value, -1, -1}, reg);
    return value;
  }

  static bool may_leave_range(Fn fn) {
    switch (fn) {
      case Fn::select:
      case Fn::min:
      case Fn::max:
      case Fn::sign:
      case Fn::bit_and:
      case Fn::bit_or:
      case Fn::bit_xor:
      case Fn::is_nan:
      case Fn::is_inf:
      case Fn::equal:
      case Fn::less:
      case Fn::less_equal:
      case Fn::logical_and:
      case Fn::logical_or:
      case Fn::logical_xor:
      case Fn::logical_not: return false;
      default: return true;
    }
  }

  static double cost_of(Fn fn) {
    switch (fn) {
      case Fn::exp:
      case Fn::sigmoid: return 8;
      case Fn::tanh:
      case Fn::erf:
      case Fn::log:
      case Fn::log1p:
      case Fn::expm1: return 16;
      case Fn::div:
      case Fn::sqrt:
      case Fn::rsqrt:
      case Fn::reciprocal: return 3;
      default:
        return fn >= Fn::sin && fn <= Fn::atanh ? 40 : fn == Fn::pow || fn == Fn::fmod ? 40 : 1;
    }
  }

  int32_t call(const ExprNode& n, DType reg) {
    const int32_t typed = n.fn == Fn::select ? n.b : n.a;
    const DType operands = register_type(at(typed).dtype);
    const auto arg = [&](int32_t k) { return k < 0 ? -1 : value_of_[static_cast<size_t>(k)]; };
    if (n.fn == Fn::pow && operands == DType::f32) {
      const int32_t simple = simple_power(n, arg(n.a));
      if (simple >= 0) return simple;
    }
    const TileFn fn = operands == DType::f32 ? tile_float(isa_, n.fn, operands)
                                             : tile_scalar(isa_, n.fn, operands);
    if (!fn) return -1;
    int32_t value = emit(fn, {arg(n.a), arg(n.b), arg(n.c)}, reg, cost_of(n.fn));
    if (operands == DType::f32 && (n.fn == Fn::add || n.fn == Fn::sub || n.fn == Fn::mul)) {
      operations_.back().kind = n.fn;
    }
    const TileFn wrap = may_leave_range(n.fn) ? tile_wrap(isa_, n.dtype) : nullptr;
    if (wrap) value = emit(wrap, {value, -1, -1}, reg);
    return value;
  }

  // x^2, x^3, x^0.5, x^-1, x^-0.5 without pow; -1: another power.
  int32_t simple_power(const ExprNode& n, int32_t base) {
    const ExprNode& exponent = at(n.b);
    if (exponent.fn != Fn::constant) return -1;
    const auto unary = [&](Fn fn) {
      return emit(tile_float(isa_, fn, DType::f32), {base, -1, -1}, DType::f32, cost_of(fn));
    };
    const auto times = [&](int32_t x) {
      return emit(tile_float(isa_, Fn::mul, DType::f32), {x, base, -1}, DType::f32);
    };
    if (exponent.value == 1) return base;
    if (exponent.value == 2) return times(base);
    if (exponent.value == 3) return times(times(base));
    if (exponent.value == 0.5) return unary(Fn::sqrt);
    if (exponent.value == -1) return unary(Fn::reciprocal);
    if (exponent.value == -0.5) return unary(Fn::rsqrt);
    return -1;
  }

  // The value itself is made in the output's memory when it is computed nowhere else; else it is
  // copied.
  void output(size_t k) {
    const int32_t node = program_.outputs[k];
    const DType dtype = at(node).dtype;
    out_.output_types_.push_back(dtype);
    const int32_t value = value_of_[static_cast<size_t>(node)];
    const DType reg = register_type(dtype);
    const TileFn store = tile_store(isa_, dtype);
    if (!store && virtuals_[static_cast<size_t>(value)].place == Place::slot) {
      virtuals_[static_cast<size_t>(value)].place = Place::output;
      virtuals_[static_cast<size_t>(value)].index = static_cast<int32_t>(k);
      return;
    }
    emit(store ? store : tile_extra(isa_, TileExtra::copy, reg), {value, -1, -1},
         store ? DType::i8 : reg);
    virtuals_.back().place = Place::output;
    virtuals_.back().index = static_cast<int32_t>(k);
  }

  void fuse_multiply_add() {
    std::vector<int> uses(virtuals_.size(), 0);
    std::vector<int> maker(virtuals_.size(), -1);
    for (size_t i = 0; i < operations_.size(); ++i) {
      for (const int32_t arg : operations_[i].args) {
        if (arg >= 0) uses[static_cast<size_t>(arg)]++;
      }
      maker[static_cast<size_t>(operations_[i].to)] = static_cast<int>(i);
    }
    const auto product = [&](int32_t value) -> Operation* {
      const auto v = static_cast<size_t>(value);
      if (uses[v] != 1 || maker[v] < 0 || virtuals_[v].place != Place::slot) return nullptr;
      Operation& made = operations_[static_cast<size_t>(maker[v])];
      return made.kind == Fn::mul && !made.dead ? &made : nullptr;
    };
    for (Operation& operation : operations_) {
      if (operation.kind != Fn::add && operation.kind != Fn::sub) continue;
      const bool add = operation.kind == Fn::add;
      if (Operation* left = product(operation.args[0])) {
        fuse(operation, *left, operation.args[1], add ? TileExtra::fma : TileExtra::fms);
      } else if (Operation* right = product(operation.args[1])) {
        fuse(operation, *right, operation.args[0], add ? TileExtra::fma : TileExtra::fnma);
      }
    }
    std::erase_if(operations_, [](const Operation& operation) { return operation.dead; });
  }

  void fuse(Operation& sum, Operation& product, int32_t other, TileExtra fn) {
    sum.fn = tile_extra(isa_, fn, DType::f32);
    sum.args = {product.args[0], product.args[1], other};
    sum.kind = Fn::constant;
    product.dead = true;
    out_.cost_ -= 1;
  }

  void assign_slots() {
    std::vector<size_t> last_use(virtuals_.size(), 0);
    for (size_t i = 0; i < operations_.size(); ++i) {
      for (const int32_t arg : operations_[i].args) {
        if (arg >= 0) last_use[static_cast<size_t>(arg)] = i;
      }
    }
    std::vector<int32_t> free;
    for (size_t i = 0; i < operations_.size(); ++i) {
      const Operation& operation = operations_[i];
      if (operation.same_width) release(operation, i, last_use, free);
      take(virtuals_[static_cast<size_t>(operation.to)], free);
      if (!operation.same_width) release(operation, i, last_use, free);
    }
    size_t width = 4;
    for (const Virtual& v : virtuals_)
      width = std::max(width, static_cast<size_t>(bit_width(v.reg)) / 8);
    out_.slot_bytes_ = width * tile_elements;
    const auto constants = static_cast<int32_t>(out_.constants_.size() / tile_splat_bytes);
    for (const Operation& operation : operations_) {
      const auto file = [&](int32_t v) { return v < 0 ? -1 : file_index(v, constants); };
      const Virtual& to = virtuals_[static_cast<size_t>(operation.to)];
      out_.code_.push_back({operation.fn, file(operation.args[0]), file(operation.args[1]),
                            file(operation.args[2]),
                            to.place == Place::output ? to.index : out_.outputs_ + to.index});
    }
  }

  void release(const Operation& operation, size_t now, const std::vector<size_t>& last_use,
               std::vector<int32_t>& free) {
    std::vector<int32_t> released;
    for (const int32_t arg : operation.args) {
      if (arg < 0) continue;
      const Virtual& v = virtuals_[static_cast<size_t>(arg)];
      const bool again = std::find(released.begin(), released.end(), arg) != released.end();
      if (v.place != Place::slot || last_use[static_cast<size_t>(arg)] != now || again) continue;
      free.push_back(v.index);
      released.push_back(arg);
    }
  }

  void take(Virtual& to, std::vector<int32_t>& free) {
    if (to.place != Place::slot) return;
    if (free.empty()) {
      to.index = out_.slots_++;
      return;
    }
    to.index = free.back();
    free.pop_back();
  }

  int32_t file_index(int32_t virtual_register, int32_t constants) const {
    const Virtual& v = virtuals_[static_cast<size_t>(virtual_register)];
    switch (v.place) {
      case Place::input: return v.index;
      case Place::constant: return out_.inputs_ + v.index;
      case Place::slot: return out_.inputs_ + constants + v.index;
      case Place::output: return out_.inputs_ + constants + out_.slots_ + v.index;
    }
    return -1;
  }

  const ExprProgram& program_;
  Isa isa_;
  TileProgram& out_;
  std::vector<bool> live_;
  std::vector<int32_t> value_of_;  // virtual register of each expression node
  std::vector<Virtual> virtuals_;
  std::vector<Operation> operations_;
};

namespace {

bool well_formed(const ExprProgram& program, std::string& reason) {
  try {
    validate(program);
  } catch (const Error& error) {
    reason = error.what();
    return false;
  }
  return true;
}

}  // namespace

std::string TileProgram::unsupported(const ExprProgram& program) {
  std::string reason;
  if (!well_formed(program, reason)) return reason;
  TileProgram unused(ExprProgram{}, Isa::baseline);
  return TileCompiler(program, best_isa(), unused).compile();
}

TileProgram::TileProgram(const ExprProgram& program, Isa isa) {
  validate(program);
  const std::string reason = TileCompiler(program, isa, *this).compile();
  TENREC_CHECK(reason.empty(), invalid_engine, "a pointwise program has {}", reason);
}

size_t TileProgram::workspace_bytes() const {
  return constants_.size() + static_cast<size_t>(slots_) * slot_bytes_;
}

TileProgram::Registers TileProgram::registers(std::byte* workspace) const {
  Registers r;
  r.file_.assign(static_cast<size_t>(inputs_), {});
  if (!constants_.empty()) std::memcpy(workspace, constants_.data(), constants_.size());
  for (size_t i = 0; i < constants_.size(); i += tile_splat_bytes)
    r.file_.push_back({workspace + i, 0});
  r.out_.assign(static_cast<size_t>(outputs_), nullptr);
  for (int i = 0; i < slots_; ++i) {
    std::byte* slot = workspace + constants_.size() + static_cast<size_t>(i) * slot_bytes_;
    r.file_.push_back({slot, 1});
    r.out_.push_back(slot);
  }
  for (int i = 0; i < outputs_; ++i) r.file_.push_back({nullptr, 1});
  return r;
}

void TileProgram::run(Registers& r, int n) const {
  const size_t first_output = r.file_.size() - static_cast<size_t>(outputs_);
  for (size_t i = 0; i < static_cast<size_t>(outputs_); ++i)
    r.file_[first_output + i].data = r.out_[i];
  TileArgs args;
  args.n = n;
  for (const Instruction& instruction : code_) {
    args.a = r.file_[static_cast<size_t>(instruction.a)];
    if (instruction.b >= 0) args.b = r.file_[static_cast<size_t>(instruction.b)];
    if (instruction.c >= 0) args.c = r.file_[static_cast<size_t>(instruction.c)];
    args.to = r.out_[static_cast<size_t>(instruction.to)];
    instruction.fn(args);
  }
}

}  // namespace tenrec::cpu
