# SPDX-License-Identifier: Apache-2.0
# Text files as a C++ source: cmake -DOUT=... -DFILES=a.cuh;b.cuh -P embed.cmake
# The source defines `embedded_files`, a list of name and text.
set(entries "")
foreach(path ${FILES})
  get_filename_component(name ${path} NAME)
  file(READ ${path} text)
  string(APPEND entries "    {\"${name}\", R\"embedded(${text})embedded\"},\n")
endforeach()
file(WRITE ${OUT}
     "#include \"targets/cuda/device_files.h\"\n\nnamespace tenrec::cuda {\n\n"
     "const std::vector<DeviceFile>& device_files() {\n"
     "  static const std::vector<DeviceFile> files{\n${entries}  };\n  return files;\n}\n\n}\n")
