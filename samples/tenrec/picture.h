// SPDX-License-Identifier: Apache-2.0
// Binary PPM pictures and planes of floats for the samples.
#pragma once
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

struct Picture {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> rgb;
  size_t pixels() const { return rgb.size() / 3; }
};

inline Picture read_ppm(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string kind;
  Picture picture;
  int white = 0;
  file >> kind >> picture.width >> picture.height >> white;
  file.get();
  if (!file || kind != "P6" || white != 255) throw std::runtime_error(path + " is no binary PPM");
  picture.rgb.resize(static_cast<size_t>(picture.width * picture.height * 3));
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
