// SPDX-License-Identifier: Apache-2.0
// Writes the models of the client programs: make_models FOLDER.
#include <fstream>

#include "common/onnx_writer.h"

using namespace tenrec::test;

namespace {

constexpr int f32 = 1, i64 = 7;

void write(const std::string& path, const OnnxGraph& graph) {
  std::ofstream file(path, std::ios::binary);
  const std::string bytes = OnnxModel(graph).opset(17).bytes();
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// As a matting model: a picture, a recurrent state, outputs declared in another order than they are
// produced. r1o = mean over the channels + r1i; fgr = src * 2; pha = sigmoid of r1o.
OnnxGraph matting(const std::vector<std::string>& height_and_width) {
  std::vector<std::string> picture{"1", "3"}, state{"1", "1"};
  for (const std::string& size : height_and_width) {
    picture.push_back(size);
    state.push_back(size);
  }
  OnnxGraph graph("matting");
  graph.input("src", f32, picture).input("r1i", f32, state);
  graph.output("fgr", f32, picture).output("pha", f32, state).output("r1o", f32, state);
  graph.initializer(OnnxTensor("two", {1}).floats({2}));
  graph.node("ReduceMean", {"src"}, {"mean"},
             {OnnxAttribute("axes", std::vector<int64_t>{1}), OnnxAttribute("keepdims", 1)});
  graph.node("Add", {"mean", "r1i"}, {"r1o"});
  graph.node("Mul", {"src", "two"}, {"fgr"});
  graph.node("Sigmoid", {"r1o"}, {"pha"});
  return graph;
}

OnnxGraph non_zero() {
  OnnxGraph graph("non_zero");
  graph.input("x", f32, {"n"}).output("y", i64, {"1", "k"}).node("NonZero", {"x"}, {"y"});
  return graph;
}

OnnxGraph broken() {
  OnnxGraph graph("broken");
  graph.input("x", f32, {"4"}).output("y", f32, {"4"});
  graph.node("Relu", {"x"}, {"z"}).node("NoSuchOperator", {"z"}, {"y"});
  return graph;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::string folder = std::string(arguments[1]) + "/";
  write(folder + "matting.onnx", matting({"8", "6"}));
  write(folder + "matting_dynamic.onnx", matting({"height", "width"}));
  write(folder + "non_zero.onnx", non_zero());
  write(folder + "broken.onnx", broken());
  return 0;
}
