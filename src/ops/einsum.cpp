// SPDX-License-Identifier: Apache-2.0
#include "ops/einsum.h"

#include <algorithm>
#include <map>

#include "ops/flops.h"
#include "ops/support.h"

namespace tenrec {
namespace {

constexpr char first_ellipsis_name = 1;
constexpr size_t most_ellipsis_axes = 32;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Axes under "...", the last one named lowest so that those of several operands align at their end.
std::string ellipsis_names(size_t count) {
  std::string names;
  for (size_t i = count; i-- > 0;)
    names += static_cast<char>(first_ellipsis_name + static_cast<int>(i));
  return names;
}

std::string expand(const std::string& term, size_t ellipsis_axes, const std::string& equation) {
  const size_t dots = term.find("...");
  std::string names = term;
  if (dots != term.npos) names = names.replace(dots, 3, ellipsis_names(ellipsis_axes));
  for (const char c : names) {
    TENREC_CHECK(is_letter(c) || c < 'A', invalid_model, "cannot read the equation \"{}\"",
                 equation);
    TENREC_CHECK(c != '.', invalid_model, "cannot read the equation \"{}\"", equation);
  }
  return names;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (c == separator) parts.emplace_back();
    else parts.back() += c;
  }
  return parts;
}

// The size of every named axis.
std::map<char, Dim> axis_sizes(const EinsumPlan& plan, const Types& in) {
  std::map<char, Dim> sizes;
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    for (size_t axis = 0; axis < plan.inputs[i].size(); ++axis) {
      const char name = plan.inputs[i][axis];
      const auto [at, is_new] = sizes.emplace(name, in[i].shape[axis]);
      if (!is_new) at->second = broadcast_shapes({at->second}, {in[i].shape[axis]})[0];
    }
  }
  return sizes;
}

std::vector<int64_t> ranks_of(const Types& in) {
  std::vector<int64_t> ranks;
  for (const Type& type : in) ranks.push_back(type.rank());
  return ranks;
}

// Steps of every loop axis in one operand; repeated names add up (a diagonal), sizes of 1
// broadcast.
Dims loop_strides(const std::string& loops, const std::string& names, const Dims& dims) {
  const Dims strides = row_major_strides(dims);
  Dims result(loops.size(), 0);
  for (size_t i = 0; i < names.size(); ++i) {
    if (dims[i] != 1) result[loops.find(names[i])] += strides[i];
  }
  return result;
}

template <class T>
std::vector<T> contract(const std::vector<std::vector<T>>& operands,
                        const std::vector<Dims>& strides, const Dims& sizes, size_t output_axes) {
  const Dims outer(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(output_axes));
  const Dims inner(sizes.begin() + static_cast<std::ptrdiff_t>(output_axes), sizes.end());
  std::vector<T> result(element_count(outer), T(0));
  if (result.empty() || element_count(inner) == 0) return result;
  const size_t count = operands.size();
  std::vector<const T*> at(count);
  Dims index(outer.size(), 0);
  for (T& sum : result) {
    for (size_t o = 0; o < count; ++o) {
      int64_t offset = 0;
      for (size_t i = 0; i < outer.size(); ++i) offset += index[i] * strides[o][i];
      at[o] = operands[o].data() + offset;
    }
    // The last summed axis runs innermost.
    Dims summed(inner.size(), 0);
    do {
      T product(1);
      for (size_t o = 0; o < count; ++o) {
        int64_t offset = 0;
        for (size_t i = 0; i < inner.size(); ++i) offset += summed[i] * strides[o][output_axes + i];
        product *= at[o][offset];
      }
      sum += product;
    } while (next_index(summed, inner));
    next_index(index, outer);
  }
  return result;
}

}  // namespace

EinsumPlan parse_einsum(const std::string& equation, const std::vector<int64_t>& ranks) {
  std::string text;
  std::copy_if(equation.begin(), equation.end(), std::back_inserter(text),
               [](char c) { return c != ' '; });
  const size_t arrow = text.find("->");
  const std::vector<std::string> terms = split(text.substr(0, arrow), ',');
  TENREC_CHECK(terms.size() == ranks.size(), invalid_model,
               "the equation \"{}\" has {} terms for {} inputs", equation, terms.size(),
               ranks.size());
  EinsumPlan plan;
  size_t widest = 0;
  for (size_t i = 0; i < terms.size(); ++i) {
    const bool dots = terms[i].find("...") != terms[i].npos;
    const int64_t covered = ranks[i] - static_cast<int64_t>(terms[i].size()) + (dots ? 3 : 0);
    TENREC_CHECK(
        (dots ? covered >= 0 : covered == 0) && covered <= static_cast<int64_t>(most_ellipsis_axes),
        invalid_model, "term \"{}\" of the equation \"{}\" does not fit an input of rank {}",
        terms[i], equation, ranks[i]);
    plan.inputs.push_back(expand(terms[i], static_cast<size_t>(covered), equation));
    widest = std::max(widest, static_cast<size_t>(covered));
  }
  if (arrow != text.npos) {
    plan.output = expand(text.substr(arrow + 2), widest, equation);
  } else {
    // Not stated: the ellipsis, then every name that occurs once, in order of the alphabet.
    std::map<char, int> uses;
    for (const std::string& names : plan.inputs) {
      for (const char c : names) uses[c] += 1;
    }
    plan.output = ellipsis_names(widest);
    for (const auto& [c, count] : uses) {
      if (is_letter(c) && count == 1) plan.output += c;
    }
  }
  for (size_t i = 0; i < plan.output.size(); ++i) {
    const char c = plan.output[i];
    const bool known = std::any_of(plan.inputs.begin(), plan.inputs.end(),
                                   [&](const auto& names) { return names.find(c) != names.npos; });
    TENREC_CHECK(known && plan.output.find(c, i + 1) == plan.output.npos, invalid_model,
                 "the output of the equation \"{}\" must name axes of its inputs, each once",
                 equation);
  }
  return plan;
}

Types Einsum::infer(const Types& in) const {
  TENREC_CHECK(!in.empty(), invalid_model, "takes at least one input");
  const DType dtype = required(in, 0, "an operand").dtype;
  for (size_t i = 0; i < in.size(); ++i) {
    TENREC_CHECK(required(in, i, "an operand").dtype == dtype, invalid_model,
                 "operands have different types: {} and {}", in[0].str(), in[i].str());
    if (!in[i].ranked) return {Type::unranked(dtype)};
  }
  const EinsumPlan plan = parse_einsum(equation, ranks_of(in));
  const std::map<char, Dim> sizes = axis_sizes(plan, in);
  Shape shape;
  for (const char name : plan.output) shape.push_back(sizes.at(name));
  return {Type::tensor(dtype, std::move(shape))};
}

Tensors Einsum::eval(const Tensors& in) const {
  const Types types = types_of(in);
  const Dims out = dims_of(infer(types)[0]);
  const EinsumPlan plan = parse_einsum(equation, ranks_of(types));
  // Loops: the output's axes, then those summed over.
  std::string loops = plan.output;
  Dims sizes;
  const std::map<char, Dim> by_name = axis_sizes(plan, types);
  for (const auto& [name, size] : by_name) {
    if (loops.find(name) == loops.npos) loops += name;
  }
  for (const char name : loops) sizes.push_back(by_name.at(name).value());
  std::vector<Dims> strides;
  for (size_t i = 0; i < in.size(); ++i) {
    strides.push_back(loop_strides(loops, plan.inputs[i], in[i].dims()));
  }
  if (is_float(in[0].dtype())) {
    std::vector<std::vector<double>> operands;
    for (const Tensor& tensor : in) operands.push_back(tensor.to_doubles());
    return {Tensor::from_doubles(in[0].dtype(), out,
                                 contract(operands, strides, sizes, plan.output.size()))};
  }
  // Unsigned, so that overflow wraps.
  std::vector<std::vector<uint64_t>> operands;
  for (const Tensor& tensor : in) {
    const std::vector<int64_t> values = tensor.to_ints();
    operands.emplace_back(values.begin(), values.end());
  }
  const std::vector<uint64_t> result = contract(operands, strides, sizes, plan.output.size());
  return {
      Tensor::from_ints(in[0].dtype(), out, std::vector<int64_t>(result.begin(), result.end()))};
}

double Einsum::flops(const Types& in, const Types&) const {
  double count = 2;
  for (const auto& [name, size] : axis_sizes(parse_einsum(equation, ranks_of(in)), in))
    count *= factor(size);
  return count;
}

}  // namespace tenrec
