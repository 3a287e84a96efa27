// SPDX-License-Identifier: Apache-2.0
#include <tenrec/tenrec.h>

#include <cstdio>
#include <vector>

int main(int, char** argv) {
  tenrec::build(argv[1]).save(argv[2]);
  const tenrec::Engine engine = tenrec::Engine::load(argv[2]);
  tenrec::Context context = engine.create_context();
  context.set_input("Input3",
                    tenrec::HostTensor::of<float>({1, 1, 28, 28}, std::vector<float>(784)));
  context.run();
  const auto scores = context.output("Plus214_Output_0").as<float>();
  std::printf("%zu scores\n", scores.size());
  return scores.size() == 10 ? 0 : 1;
}
