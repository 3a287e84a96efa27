// SPDX-License-Identifier: Apache-2.0
// Robust Video Matting through Tenrec's own interface: rvm.engine frame1.ppm [frame2.ppm ...] gives
// frame1_matting.pam, ... The states are fed back without a copy. Compare samples/tensorrt.
#include <tenrec/tenrec.h>

#include <cstdio>

#include "../picture.h"

namespace {

std::vector<uint8_t> matte(tenrec::Context& context, const samples::Picture& frame) {
  const size_t n = frame.pixels();
  tenrec::HostTensor src(tenrec::DType::f32, {1, 3, frame.height, frame.width});
  for (size_t i = 0; i < 3 * n; ++i)
    src.as<float>()[i] = static_cast<float>(frame.rgb[i % n * 3 + i / n]) / 255;
  context.set_input("src", src);
  context.run();
  const auto fgr = context.output("fgr").as<float>(), pha = context.output("pha").as<float>();
  std::vector<uint8_t> rgba(4 * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t c = 0; c < 3; ++c)
      rgba[4 * i + c] = static_cast<uint8_t>(fgr[c * n + i] * 255 + 0.5F);
    rgba[4 * i + 3] = static_cast<uint8_t>(pha[i] * 255 + 0.5F);
  }
  for (const std::string state : {"r1", "r2", "r3", "r4"})
    context.set_input(state + "i", context.output(state + "o"));
  return rgba;
}

}  // namespace

int main(int count, char** values) try {
  if (count < 3) throw std::runtime_error("usage: tenrec_rvm rvm.engine frame.ppm [...]");
  tenrec::Context context = tenrec::Engine::load(values[1]).create_context();
  for (const char* state : {"r1i", "r2i", "r3i", "r4i"})
    context.set_input(state, tenrec::HostTensor(tenrec::DType::f32, {1, 1, 1, 1}));
  context.set_input("downsample_ratio", tenrec::HostTensor::of<float>({1}, {0.25F}));
  for (int i = 2; i < count; ++i) {
    const samples::Picture frame = samples::read_ppm(values[i]);
    const std::string path(values[i]);
    samples::write_pam(path.substr(0, path.rfind('.')) + "_matting.pam", frame,
                       matte(context, frame));
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
