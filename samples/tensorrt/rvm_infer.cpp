// SPDX-License-Identifier: Apache-2.0
// Robust Video Matting through TensorRT's interface: a frame in, its foreground with transparency
// out; the recurrent states stay on the device.
//
//   rvm_infer rvm.engine frame1.ppm [frame2.ppm ...]     writes frame1_matting.pam, ...
//
// With OpenCV (make OPENCV=1), frames may be pictures or one video, and PNG files are written.
#include <array>
#include <cstring>

#include "common.h"
#ifdef WITH_OPENCV
#include <opencv2/opencv.hpp>
#endif

namespace {

constexpr std::array kStates{"r1", "r2", "r3", "r4"};

size_t elements(const nvinfer1::Dims& dims) {
  size_t count = 1;
  for (int32_t i = 0; i < dims.nbDims; ++i) count *= static_cast<size_t>(dims.d[i]);
  return count;
}

class Matting {
 public:
  Matting(nvinfer1::ICudaEngine& engine, float downsample_ratio)
      : engine_(engine), context_(engine.createExecutionContext()), ratio_{downsample_ratio} {
    samples::check(context_ != nullptr, "creating the context");
    const float zero = 0;
    for (State& state : states_) {
      state.memory = samples::DeviceMemory(sizeof(zero));
      state.dims = nvinfer1::Dims4(1, 1, 1, 1);
      stream_.to_device(state.memory, &zero, sizeof(zero));
    }
  }

  // RGBA, four bytes a pixel.
  std::vector<unsigned char> run(const samples::Picture& frame) {
    const size_t pixels = frame.rgb.size() / 3;
    std::vector<float> planes(3 * pixels), fgr(3 * pixels), pha(pixels);
    for (size_t c = 0; c < 3; ++c)
      for (size_t i = 0; i < pixels; ++i)
        planes[c * pixels + i] = static_cast<float>(frame.rgb[i * 3 + c]) / 255;
    const samples::DeviceMemory src(planes.size() * 4), fgr_memory(fgr.size() * 4),
        pha_memory(pha.size() * 4);
    stream_.to_device(src, planes.data(), src.bytes());
    set_input("src", nvinfer1::Dims4(1, 3, frame.height, frame.width), src.get());
    if (engine_.getTensorIOMode("downsample_ratio") == nvinfer1::TensorIOMode::kINPUT)
      set_input("downsample_ratio", nvinfer1::Dims{1, {1}}, ratio_);
    set_output("fgr", fgr_memory.get());
    set_output("pha", pha_memory.get());
    run_states();
    stream_.to_host(fgr.data(), fgr_memory, fgr_memory.bytes());
    stream_.to_host(pha.data(), pha_memory, pha_memory.bytes());
    stream_.wait();
    return to_rgba(fgr, pha);
  }

 private:
  struct State {
    samples::DeviceMemory memory;
    nvinfer1::Dims dims{};
  };

  // Each state goes in as it came out of the frame before.
  void run_states() {
    std::array<State, kStates.size()> next;
    for (size_t i = 0; i < kStates.size(); ++i)
      set_input((std::string(kStates[i]) + "i").c_str(), states_[i].dims, states_[i].memory.get());
    for (size_t i = 0; i < kStates.size(); ++i) {
      const std::string name = std::string(kStates[i]) + "o";
      next[i].dims = context_->getTensorShape(name.c_str());
      next[i].memory = samples::DeviceMemory(elements(next[i].dims) * 4);
      set_output(name.c_str(), next[i].memory.get());
    }
    samples::check(context_->enqueueV3(stream_.get()), "enqueueV3");
    stream_.wait();
    for (size_t i = 0; i < kStates.size(); ++i) std::swap(states_[i], next[i]);
  }

  void set_input(const char* name, const nvinfer1::Dims& dims, void* data) {
    samples::check(context_->setInputShape(name, dims) && context_->setTensorAddress(name, data),
                   std::string("setting input ") + name);
  }
  void set_output(const char* name, void* data) {
    samples::check(context_->setTensorAddress(name, data), std::string("setting output ") + name);
  }

  static std::vector<unsigned char> to_rgba(const std::vector<float>& fgr,
                                            const std::vector<float>& pha) {
    const size_t pixels = pha.size();
    std::vector<unsigned char> rgba(4 * pixels);
    for (size_t i = 0; i < pixels; ++i) {
      for (size_t c = 0; c < 3; ++c)
        rgba[4 * i + c] = static_cast<unsigned char>(fgr[c * pixels + i] * 255 + 0.5F);
      rgba[4 * i + 3] = static_cast<unsigned char>(pha[i] * 255 + 0.5F);
    }
    return rgba;
  }

  nvinfer1::ICudaEngine& engine_;
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
  samples::Stream stream_;
  std::array<State, kStates.size()> states_;
  float ratio_[1];
};

std::string without_extension(const std::string& path) {
  return path.substr(0, path.find_last_of('.'));
}

#ifdef WITH_OPENCV
void run_video(Matting& matting, const std::string& path) {
  cv::VideoCapture video(path);
  samples::check(video.isOpened(), "opening " + path);
  cv::Mat bgr, rgb, bgra;
  for (int index = 0; video.read(bgr); ++index) {
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    samples::Picture frame{rgb.cols, rgb.rows, {rgb.datastart, rgb.dataend}};
    std::vector<unsigned char> rgba = matting.run(frame);
    cv::cvtColor(cv::Mat(rgb.rows, rgb.cols, CV_8UC4, rgba.data()), bgra, cv::COLOR_RGBA2BGRA);
    cv::imwrite(without_extension(path) + "_matting_" + std::to_string(index) + ".png", bgra);
  }
}
#endif

void run(int count, char** values) {
  if (count < 3) throw std::runtime_error("usage: rvm_infer rvm.engine frame.ppm [...]");
  samples::Logger logger;
  const auto engine = samples::load_engine(logger, values[1]);
  Matting matting(*engine, 0.25F);
  for (int i = 2; i < count; ++i) {
    const std::string path = values[i];
#ifdef WITH_OPENCV
    if (path.size() < 4 || path.compare(path.size() - 4, 4, ".ppm") != 0) {
      run_video(matting, path);
      continue;
    }
#endif
    const samples::Picture frame = samples::read_ppm(path);
    const std::string output = without_extension(path) + "_matting.pam";
    samples::write_pam(output, frame, matting.run(frame));
    std::printf("wrote %s\n", output.c_str());
  }
}

}  // namespace

int main(int count, char** values) {
  try {
    run(count, values);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
