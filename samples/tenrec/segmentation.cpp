// SPDX-License-Identifier: Apache-2.0
// Segments a picture through Tenrec's own interface: fcn.engine input.ppm output.pgm, a grey level
// a class. The engine's output is class numbers i64[1, H, W]. Compare samples/tensorrt.
#include <tenrec/tenrec.h>

#include <array>
#include <cstdio>

#include "../picture.h"

int main(int count, char** values) try {
  if (count != 4) throw std::runtime_error("usage: tenrec_segmentation ENGINE IN.ppm OUT.pgm");
  constexpr std::array mean{0.485F, 0.456F, 0.406F}, deviation{0.229F, 0.224F, 0.225F};
  const samples::Picture picture = samples::read_ppm(values[2]);
  const size_t n = picture.pixels();
  tenrec::HostTensor input(tenrec::DType::f32, {1, 3, picture.height, picture.width});
  for (size_t i = 0; i < 3 * n; ++i)
    input.as<float>()[i] =
        (static_cast<float>(picture.rgb[i % n * 3 + i / n]) / 255 - mean[i / n]) / deviation[i / n];
  tenrec::Context context = tenrec::Engine::load(values[1]).create_context();
  context.set_input("input", input);
  context.run();
  std::vector<uint8_t> grey;
  for (const int64_t label : context.output("output").as<int64_t>())
    grey.push_back(static_cast<uint8_t>(label * 12));
  samples::write_picture(
      values[3],
      "P5\n" + std::to_string(picture.width) + " " + std::to_string(picture.height) + "\n255\n",
      grey);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
