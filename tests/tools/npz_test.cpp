// SPDX-License-Identifier: Apache-2.0
#include "npz.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "common/onnx_writer.h"

namespace tenrec {
namespace {

using test::TemporaryFolder;

template <class Body>
void expect_error(ErrorCode code, std::string_view part, Body&& body) {
  try {
    body();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
  }
}

void expect_same(const HostTensor& a, const HostTensor& b) {
  EXPECT_EQ(a.dtype, b.dtype);
  EXPECT_EQ(a.dims, b.dims);
  EXPECT_EQ(a.data, b.data);
}

// As NumPy writes: version 1.0, the header padded to 64 bytes.
std::string npy(std::string_view dictionary, std::string_view data) {
  std::string header(dictionary);
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  return file + header + std::string(data);
}

class Npz : public testing::Test {
 protected:
  std::string file(std::string_view bytes) {
    const auto path = folder / "file";
    test::write_test_file(path, bytes);
    return path.string();
  }
  TemporaryFolder folder;
};

TEST_F(Npz, NpyRoundTripsEveryType) {
  const std::string path = (folder / "x.npy").string();
  for (const DType dtype :
       {DType::f32, DType::f64, DType::f16, DType::bf16, DType::boolean, DType::i8, DType::i16,
        DType::i32, DType::i64, DType::u8, DType::u16, DType::u32, DType::u64}) {
    for (const std::vector<int64_t>& dims :
         {std::vector<int64_t>{}, {3}, {2, 0, 3}, {2, 3, 1, 2}}) {
      HostTensor tensor(dtype, dims);
      for (size_t i = 0; i < tensor.data.size(); ++i)
        tensor.data[i] = static_cast<std::byte>(i * 7 % 256);
      write_npy(path, tensor);
      expect_same(read_npy(path), tensor);
    }
  }
}

// numpy.save(file, numpy.array([[1.5, -2.0]], numpy.float32)) of NumPy 2.4.6 writes these 136
// bytes.
TEST_F(Npz, ReadsAndWritesAsNumpyDoes) {
  const std::string bytes = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }",
                                std::string_view("\x00\x00\xc0\x3f\x00\x00\x00\xc0", 8));
  ASSERT_EQ(bytes.size(), 136U);
  ASSERT_EQ(bytes[8], 'v');
  const HostTensor tensor = read_npy(file(bytes));
  expect_same(tensor, HostTensor::of<float>({1, 2}, std::vector<float>{1.5F, -2.0F}));
  const auto path = folder / "again.npy";
  write_npy(path.string(), tensor);
  EXPECT_EQ(test::read_test_file(path), bytes);
}

TEST_F(Npz, NpzRoundTrips) {
  NamedTensors tensors;
  tensors["a"] = HostTensor::of<float>({2, 2}, std::vector<float>{1, 2, 3, 4});
  tensors["deep/name with space"] = HostTensor::of<int64_t>({3}, std::vector<int64_t>{-1, 0, 1});
  tensors["empty"] = HostTensor(DType::u8, {0});
  const std::string path = (folder / "x.npz").string();
  write_npz(path, tensors);
  const NamedTensors read = read_npz(path);
  ASSERT_EQ(read.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) expect_same(read.at(name), tensor);
  write_npz((folder / "y.npz").string(), tensors);
  EXPECT_EQ(test::read_test_file(path), test::read_test_file(folder / "y.npz"));
  write_npz(path, {});
  EXPECT_TRUE(read_npz(path).empty());
}

// One entry "x.npy", deflated as numpy.savez_compressed does it.
std::string deflated_npz(const std::string& data) {
  std::string packed(data.size() + 64, '\0');
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string source = data;
  stream.next_in = reinterpret_cast<Bytef*>(source.data());
  stream.avail_in = static_cast<uInt>(source.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  const auto number = [](uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
    return text;
  };
  const uint64_t crc =
      crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size()));
  const std::string common = number(20, 2) + number(0, 2) + number(8, 2) + number(0, 4) +
                             number(crc, 4) + number(packed.size(), 4) + number(data.size(), 4) +
                             number(5, 2) + number(0, 2);
  const std::string local = number(0x04034b50, 4) + common + "x.npy" + packed;
  const std::string central = number(0x02014b50, 4) + number(20, 2) + common + number(0, 2) +
                              number(0, 2) + number(0, 2) + number(0, 4) + number(0, 4) + "x.npy";
  return local + central + number(0x06054b50, 4) + number(0, 4) + number(1, 2) + number(1, 2) +
         number(central.size(), 4) + number(local.size(), 4) + number(0, 2);
}

const std::string kZeros =
    npy("{'descr': '|u1', 'fortran_order': False, 'shape': (500,), }", std::string(500, '\0'));

TEST_F(Npz, ReadsDeflatedEntries) {
  const NamedTensors read = read_npz(file(deflated_npz(kZeros)));
  ASSERT_EQ(read.size(), 1U);
  expect_same(read.at("x"), HostTensor(DType::u8, {500}));
}

TEST_F(Npz, MalformedNpyIsAnIoError) {
  const auto refused = [&](std::string_view part, std::string_view bytes) {
    expect_error(ErrorCode::io, part, [&] { read_npy(file(bytes)); });
  };
  const std::string_view eight("12345678");
  refused("not a .npy file", "hello, this is text");
  refused("not a .npy file", "\x93NUMPY");
  refused("ends too early", std::string("\x93NUMPY\x01\x00\xff\xff", 10));
  refused("no 'descr'", npy("{'fortran_order': False, 'shape': (2,), }", eight));
  refused("no 'shape'", npy("{'descr': '<f4', 'fortran_order': False}", eight));
  refused("'>f4' cannot be read",
          npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", eight));
  refused("'|O' cannot be read",
          npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", eight));
  refused("the shape needs 12",
          npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", eight));
  refused("the shape needs 4",
          npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", eight));
  refused("Fortran order",
          npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }", eight));
  expect_error(ErrorCode::io, "", [&] { read_npy((folder / "missing").string()); });
}

// Shapes that no sane file has must end in an Error of some kind, never in a crash.
TEST_F(Npz, ImpossibleShapesAreErrors) {
  for (const char* shape :
       {"(-4,)", "(9223372036854775807, 9223372036854775807)", "(99999999999999999999999,)"}) {
    const std::string bytes =
        npy(std::string("{'descr': '<f4', 'fortran_order': False, 'shape': ") + shape + ", }",
            "12345678");
    EXPECT_THROW(read_npy(file(bytes)), Error) << shape;
  }
}

TEST_F(Npz, MalformedNpzIsAnIoError) {
  const auto refused = [&](std::string_view part, const std::string& bytes) {
    expect_error(ErrorCode::io, part, [&] { read_npz(file(bytes)); });
  };
  refused("not a .npz file", "PK");
  refused("not a .npz file", std::string(100, 'x'));
  refused("not a .npz file", std::string(100000, 'x'));
  const std::string good = deflated_npz(kZeros);
  std::string bad = good;
  bad[14] = static_cast<char>(bad[14] ^ 1);  // the local checksum is not read ...
  EXPECT_NO_THROW(read_npz(file(bad)));
  const size_t central = good.find("PK\x01\x02");
  bad = good;
  bad[central + 16] = static_cast<char>(bad[central + 16] ^ 1);  // ... the directory's is
  refused("checksum", bad);
  bad = good;
  bad[central] = 'x';
  refused("directory is damaged", bad);
  bad = good;
  bad[central + 10] = 12;  // bzip2
  refused("compression method 12", bad);
  bad = good;
  bad[central + 27] = 0x7f;  // 2 GiB out of a few bytes
  refused("impossible sizes", bad);
  bad = good;
  bad[central + 45] = 0x7f;  // the entry lies behind the end
  refused("ends too early", bad);
  bad = good;
  bad[38] = static_cast<char>(bad[38] ^ 0x55);
  EXPECT_THROW(read_npz(file(bad)), Error);
}

// Every prefix and every flipped byte is read or refused.
TEST_F(Npz, DamageNeverCrashes) {
  const std::string good = deflated_npz(kZeros);
  const auto survive = [&](const std::string& bytes) {
    try {
      read_npz(file(bytes));
    } catch (const Error&) {
    }
  };
  for (size_t length = 1; length < good.size(); ++length) survive(good.substr(0, length));
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(~bad[i]);
    survive(bad);
  }
}

}  // namespace
}  // namespace tenrec
