// SPDX-License-Identifier: Apache-2.0
#include "ops/matmul.h"

#include "ops/dense.h"
#include "ops/flops.h"

namespace tenrec {
namespace {

template <class T>
std::vector<T> multiply(const MatMulPlan& plan, const T* a, const T* b) {
  std::vector<T> c(plan.products.size() * static_cast<size_t>(plan.m * plan.n));
  T* to = c.data();
  for (const auto& [a_matrix, b_matrix] : plan.products) {
    multiply_add(plan.m, plan.n, plan.k, a + a_matrix * plan.m * plan.k, plan.k,
                 b + b_matrix * plan.k * plan.n, plan.n, to, plan.n);
    to += plan.m * plan.n;
  }
  return c;
}

}  // namespace

Shape matmul_shape(const Type& a, const Type& b) {
  TENREC_CHECK(a.rank() >= 1 && b.rank() >= 1, invalid_model,
               "operands are {} and {}, expected at least one axis each", a.str(), b.str());
  Shape left = a.shape;
  Shape right = b.shape;
  if (a.rank() == 1) left.insert(left.begin(), 1);
  if (b.rank() == 1) right.push_back(1);
  const Dim& depth = left.back();
  const Dim& rows = right[right.size() - 2];
  TENREC_CHECK(!depth.is_const() || !rows.is_const() || depth == rows, invalid_model,
               "inner sizes differ: {} times {} ({} and {})", a.str(), b.str(), depth.str(),
               rows.str());
  Shape shape =
      broadcast_shapes(Shape(left.begin(), left.end() - 2), Shape(right.begin(), right.end() - 2));
  if (a.rank() > 1) shape.push_back(left[left.size() - 2]);
  if (b.rank() > 1) shape.push_back(right.back());
  return shape;
}

MatMulPlan plan_matmul(Dims a, Dims b) {
  if (a.size() == 1) a.insert(a.begin(), 1);
  if (b.size() == 1) b.push_back(1);
  MatMulPlan plan{.m = a[a.size() - 2], .n = b.back(), .k = a.back(), .products = {}};
  const Dims a_batch(a.begin(), a.end() - 2);
  const Dims b_batch(b.begin(), b.end() - 2);
  const Dims batch = broadcast_dims(a_batch, b_batch);
  if (element_count(batch) == 0) return plan;
  const auto matrix = [&](const Dims& index, const Dims& dims) {
    int64_t at = 0;
    const size_t skip = index.size() - dims.size();
    for (size_t i = 0; i < dims.size(); ++i)
      at = at * dims[i] + (dims[i] == 1 ? 0 : index[skip + i]);
    return at;
  };
  Dims index(batch.size(), 0);
  do {
    plan.products.emplace_back(matrix(index, a_batch), matrix(index, b_batch));
  } while (next_index(index, batch));
  return plan;
}

Types MatMul::infer(const Types& in) const {
  const Type& a = required(in, 0, "the left operand");
  const Type& b = required(in, 1, "the right operand");
  TENREC_CHECK(a.dtype == b.dtype, invalid_model, "operands have different types: {} and {}",
               a.str(), b.str());
  if (!a.ranked || !b.ranked) return {Type::unranked(a.dtype)};
  return {Type::tensor(a.dtype, matmul_shape(a, b))};
}

Tensors MatMul::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  const MatMulPlan plan = plan_matmul(in[0].dims(), in[1].dims());
  if (is_float(in[0].dtype())) {
    const std::vector<double> c =
        multiply(plan, in[0].to_doubles().data(), in[1].to_doubles().data());
    return {Tensor::from_doubles(in[0].dtype(), out, c)};
  }
  // Unsigned, so that overflow wraps as ONNX's integer types do.
  const std::vector<int64_t> a = in[0].to_ints();
  const std::vector<int64_t> b = in[1].to_ints();
  const std::vector<uint64_t> c = multiply(plan, reinterpret_cast<const uint64_t*>(a.data()),
                                           reinterpret_cast<const uint64_t*>(b.data()));
  return {Tensor::from_ints(in[0].dtype(), out,
                            {reinterpret_cast<const int64_t*>(c.data()), c.size()})};
}

double MatMul::flops(const Types& in, const Types& out) const {
  return 2 * factors(out[0].shape) * factor(in[0].shape.back());
}

}  // namespace tenrec
