// SPDX-License-Identifier: Apache-2.0
#include "ops/col2im.h"

#include <cmath>

#include "ops/movement.h"

namespace tenrec {

Types Col2Im::infer(const Types& in) const {
  const Type& x = required(in, 0, "the columns");
  const std::vector<Dim>* image = required(in, 1, "the image shape").known_ints();
  const std::vector<Dim>* block = required(in, 2, "the block shape").known_ints();
  check_list(in[1], "the image shape");
  check_list(in[2], "the block shape");
  if (!image && in[1].ranked && in[1].rank() == 1 && !in[1].shape[0].is_const()) {
    return {Type::unranked(x.dtype)};
  }
  TENREC_CHECK(!x.ranked || x.rank() == 3, invalid_model, "the columns are {}, expected three axes",
               x.str());
  TENREC_CHECK(!image || !block || image->size() == block->size(), invalid_model,
               "image shape and block shape have {} and {} entries", image ? image->size() : 0,
               block ? block->size() : 0);
  const size_t spatial = image ? image->size() : static_cast<size_t>(in[1].shape.at(0).value());
  Window{AutoPad::notset, strides, dilations, pads, false}.check(spatial);
  Dim channels = Dim::fresh("channels");
  if (x.ranked && block) {
    const Dim elements = product(Shape(block->begin(), block->end()));
    TENREC_CHECK(!elements.is_const() || elements.value() >= 1, invalid_model,
                 "the block shape is {}, expected positive sizes", to_string(*block));
    TENREC_CHECK(!x.shape[1].is_const() || !elements.is_const() ||
                     x.shape[1].value() % elements.value() == 0,
                 invalid_model, "{} columns are not a multiple of the block's {} elements",
                 x.shape[1].str(), elements.str());
    channels = floordiv(x.shape[1], elements);
  }
  Shape shape{x.ranked ? x.shape[0] : Dim::fresh("batch"), channels};
  for (size_t i = 0; i < spatial; ++i) shape.push_back(image ? (*image)[i] : Dim::fresh("image"));
  return {Type::tensor(x.dtype, std::move(shape))};
}

Tensors Col2Im::eval(const Tensors& in) const {
  const Dims out = dims_of(infer(types_of(in))[0]);
  const Dims image = in[1].to_ints();
  const Dims block = in[2].to_ints();
  const std::vector<WindowAxis> axes =
      resolve(Window{AutoPad::notset, strides, dilations, pads, false}, image, block);
  Dims positions;
  for (const WindowAxis& axis : axes) positions.push_back(axis.out);
  const auto count = static_cast<int64_t>(element_count(positions));
  TENREC_CHECK(count == in[0].dims()[2], invalid_input,
               "the columns {} hold {} positions, image and block give {}", to_string(in[0].dims()),
               in[0].dims()[2], count);
  const int64_t plane = elements_between(image, 0, image.size());
  const auto elements = static_cast<int64_t>(element_count(block));
  const std::vector<double> x = in[0].to_doubles();
  std::vector<double> y(element_count(out), 0.0);
  if (y.empty() || x.empty()) return {Tensor::from_doubles(in[0].dtype(), out, y)};
  Dims k(block.size(), 0);
  int64_t element = 0;
  do {
    Dims at(positions.size(), 0);
    int64_t position = 0;
    do {
      int64_t offset = 0;
      bool inside = true;
      for (size_t i = 0; i < axes.size(); ++i) {
        const int64_t p = at[i] * axes[i].stride - axes[i].pad_begin + k[i] * axes[i].dilation;
        inside = inside && p >= 0 && p < image[i];
        offset = offset * image[i] + p;
      }
      for (int64_t channel = 0; inside && channel < out[0] * out[1]; ++channel) {
        y[static_cast<size_t>(channel * plane + offset)] +=
            x[static_cast<size_t>((channel * elements + element) * count + position)];
      }
      ++position;
    } while (next_index(at, positions));
    ++element;
  } while (next_index(k, block));
  return {Tensor::from_doubles(in[0].dtype(), out, y)};
}

Types Det::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the input");
  if (!x.ranked) return {Type::unranked(x.dtype)};
  TENREC_CHECK(x.rank() >= 2, invalid_model, "the input is {}, expected matrices", x.str());
  check_same_size(x.shape[x.shape.size() - 2], x.shape.back(), "rows and columns");
  return {Type::tensor(x.dtype, Shape(x.shape.begin(), x.shape.end() - 2))};
}

Tensors Det::eval(const Tensors& in) const {
  const Dims out = dims_of(infer(types_of(in))[0]);
  std::vector<double> x = in[0].to_doubles();
  const int64_t n = in[0].dims().back();
  std::vector<double> y;
  for (size_t matrix = 0; matrix < element_count(out); ++matrix) {
    double* a = x.data() + static_cast<int64_t>(matrix) * n * n;
    double determinant = 1;
    for (int64_t column = 0; column < n; ++column) {
      int64_t pivot = column;
      for (int64_t row = column + 1; row < n; ++row) {
        if (std::abs(a[row * n + column]) > std::abs(a[pivot * n + column])) pivot = row;
      }
      if (a[pivot * n + column] == 0) {
        determinant = 0;
        break;
      }
      if (pivot != column) {
        determinant = -determinant;
        for (int64_t i = 0; i < n; ++i) std::swap(a[pivot * n + i], a[column * n + i]);
      }
      determinant *= a[column * n + column];
      for (int64_t row = column + 1; row < n; ++row) {
        const double factor = a[row * n + column] / a[column * n + column];
        for (int64_t i = column; i < n; ++i) a[row * n + i] -= factor * a[column * n + i];
      }
    }
    y.push_back(determinant);
  }
  return {Tensor::from_doubles(in[0].dtype(), out, y)};
}

}  // namespace tenrec
