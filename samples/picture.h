// SPDX-License-Identifier: Apache-2.0
// Binary PPM pictures for the samples.
#pragma once
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace samples {

struct Picture {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;  // three bytes a pixel, row by row
  size_t pixels() const { return rgb.size() / 3; }
};

inline Picture read_ppm(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string kind;
  Picture picture;
  int white = 0;
  file >> kind >> picture.width >> picture.height >> white;
  file.get();
  if (!file || kind != "P6" || white != 255 || picture.width <= 0 || picture.height <= 0)
    throw std::runtime_error(path + " is no binary PPM");
  picture.rgb.resize(static_cast<size_t>(picture.width) * static_cast<size_t>(picture.height) * 3);
  file.read(reinterpret_cast<char*>(picture.rgb.data()),
            static_cast<std::streamsize>(picture.rgb.size()));
  if (!file) throw std::runtime_error(path + " ends too early");
  return picture;
}

// Header and bytes of a PPM or PAM picture.
inline void write_picture(const std::string& path, const std::string& header,
                          const std::vector<uint8_t>& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << header;
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  if (!file) throw std::runtime_error("cannot write " + path);
}

// A picture of the size of `frame`, with an alpha channel.
inline void write_pam(const std::string& path, const Picture& frame,
                      const std::vector<uint8_t>& rgba) {
  const std::string size =
      "WIDTH " + std::to_string(frame.width) + "\nHEIGHT " + std::to_string(frame.height);
  write_picture(path, "P7\n" + size + "\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n", rgba);
}

}  // namespace samples
