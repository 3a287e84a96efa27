// SPDX-License-Identifier: Apache-2.0
#include "onnx/tensor_data.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "common/onnx_writer.h"
#include "onnx/reader.h"

namespace tenrec {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using onnx::Model;
using onnx::TensorData;

std::string hex(const TensorData& tensor, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) {
    text += fmt::format("{:02x}", static_cast<unsigned>(tensor.data[i]));
  }
  return text;
}

std::string from_hex(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// A model in memory whose owner is known, holding one initialiser (or one sparse one).
struct Holder {
  std::shared_ptr<const std::string> bytes;
  Model model;

  template <class T>
  explicit Holder(const T& tensor, const std::filesystem::path& folder = {}) {
    OnnxGraph graph;
    graph.initializer(tensor);
    bytes = std::make_shared<const std::string>(OnnxModel(graph).opset(21).bytes());
    model = onnx::read_model(std::as_bytes(std::span(*bytes)), bytes, folder);
  }
  TensorData load() const {
    return model.graph.initializers.empty()
               ? onnx::to_tensor(model.graph.sparse_initializers.at(0), model)
               : onnx::to_tensor(model.graph.initializers.at(0), model);
  }
};

template <class T>
std::string message_of(const T& tensor, ErrorCode code = ErrorCode::invalid_model,
                       const std::filesystem::path& folder = {}) {
  try {
    (void)Holder(tensor, folder).load();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "no error";
}

// TensorProto messages made by onnx 1.23's helper.make_tensor (typed fields), and the raw_data that
// its numpy_helper.from_array makes of the same values.
TEST(TensorValues, typed_fields_as_onnx_writes_them) {
  const struct {
    DType dtype;
    const char* message;
    const char* raw;
  } cases[] = {
      {DType::i4, "080510162a0478f1010342026934", "78f103"},
      {DType::u4, "080510152a040f87010342027534", "0f8703"},
      {DType::f16, "0805100a2a0d808203807480788084018090034203663136", "00c1003a003c004200c8"},
      {DType::bf16, "080510102a0da08003c07e807fc08001808203420462663136", "20c0403f803f404000c1"},
      {DType::f8e4m3fn, "080510112a07c201343844d0014208663865346d33666e", "c2343844d0"},
      {DType::f8e4m3fnuz, "080510122a07ca013c404cd801420a663865346d33666e757a", "ca3c404cd8"},
      {DType::f8e5m2, "080510132a07c1013a3c42c8014206663865356d32", "c13a3c42c8"},
      {DType::f8e5m2fnuz, "080510142a07c5013e4046cc01420a663865356d32666e757a", "c53e4046cc"},
      {DType::f4e2m1, "080510172a031c520f4206663465326d31", "1c520f"},
      {DType::u2, "080510192a02630342027532", "6303"},
      {DType::i2, "0805101a2a03c6010142026932", "c601"},
      {DType::c64, "0802100e22100000803f0000004000000080000060c04203633634",
       "0000803f0000004000000080000060c0"},
      {DType::c128,
       "0802100f4204633132385220000000000000f03f000000000000004000000000000000800000000000000cc0",
       "000000000000f03f000000000000004000000000000000800000000000000cc0"},
      {DType::boolean, "080310092a030100014204626f6f6c", "010001"},
      {DType::u8, "080310022a04ff01000742027538", "ff0007"},
      {DType::i8, "080310032a1580ffffffffffffffff017fffffffffffffffffff0142026938", "807fff"},
      {DType::u16, "080210042a04ffff03014203753136", "ffff0100"},
      {DType::i16, "080210052a0b8080feffffffffffff01054203693136", "00800500"},
      {DType::u32, "0802100c42037533325a06ffffffff0f01", "ffffffff01000000"},
      {DType::u64, "0802100d42037536345a0bffffffffffffffffff0101",
       "ffffffffffffffff0100000000000000"},
      {DType::i32, "080210062a0b80808080f8ffffffff01014203693332", "0000008001000000"},
      {DType::i64, "080210073a0b80808080808080808001014203693634",
       "00000000000000800100000000000000"},
      {DType::f64, "0802100b420366363452109a9999999999b93f9c7500883ce437fe",
       "9a9999999999b93f9c7500883ce437fe"},
      {DType::f32, "080210012208cdcccc3dcaf249f14203663332", "cdcccc3dcaf249f1"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.raw);
    OnnxGraph graph;
    graph.field(5, from_hex(c.message));
    const std::string bytes = OnnxModel(graph).opset(21).bytes();
    const Model model = onnx::read_model(std::as_bytes(std::span(bytes)), nullptr);
    const TensorData typed = onnx::to_tensor(model.graph.initializers.at(0), model);
    EXPECT_EQ(typed.dtype, c.dtype);
    const size_t size = std::strlen(c.raw) / 2;
    EXPECT_EQ(hex(typed, size), c.raw);
    const Holder raw(OnnxTensor("raw", typed.dims, static_cast<int>(c.dtype)).raw(from_hex(c.raw)));
    EXPECT_EQ(hex(raw.load(), size), c.raw);
  }
}

TEST(TensorValues, unpacked_fields_give_the_same) {
  const Holder floats(OnnxTensor("f", {2}).floats({1, -2}, false));
  EXPECT_EQ(hex(floats.load(), 8), "0000803f000000c0");
  const Holder doubles(OnnxTensor("d", {1}, 11).doubles({1}, false));
  EXPECT_EQ(hex(doubles.load(), 8), "000000000000f03f");
  const Holder ints(OnnxTensor("i", {2}, 7).int64s({1, -1}, false));
  EXPECT_EQ(hex(ints.load(), 16), "0100000000000000ffffffffffffffff");
  const Holder halves(OnnxTensor("h", {2}, 10).int32s({0x3c00, 0xc000}, false));
  EXPECT_EQ(hex(halves.load(), 4), "003c00c0");
  const Holder unsigneds(OnnxTensor("u", {2}, 12).uint64s({1, 0xffffffff}, false));
  EXPECT_EQ(hex(unsigneds.load(), 8), "01000000ffffffff");
}

TEST(TensorValues, aligned_bytes_stay_in_the_file) {
  // Padding the name moves raw_data over all positions modulo 4.
  int views = 0;
  for (int pad = 0; pad < 4; ++pad) {
    const Holder holder(OnnxTensor(std::string(static_cast<size_t>(pad + 1), 'n'), {2})
                            .raw_of<float>({1.5F, -2.5F}));
    const TensorData data = holder.load();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(data.data) % alignof(float), 0U);
    EXPECT_EQ(hex(data, 8), "0000c03f000020c0");
    const auto* const begin = reinterpret_cast<const std::byte*>(holder.bytes->data());
    const bool view = data.data >= begin && data.data < begin + holder.bytes->size();
    EXPECT_EQ(view, data.owner == holder.bytes);
    views += view ? 1 : 0;
  }
  EXPECT_EQ(views, 1);
}

TEST(TensorValues, strings_and_bools_and_nothing) {
  const TensorData strings = Holder(OnnxTensor("s", {2}, 8).strings({"a", ""})).load();
  EXPECT_EQ(strings.strings, (std::vector<std::string>{"a", ""}));
  const TensorData bools =
      Holder(OnnxTensor("b", {3}, 9).raw(std::string("\x02\x00\x01", 3))).load();
  EXPECT_EQ(hex(bools, 3), "010001");
  const TensorData empty = Holder(OnnxTensor("e", {0, 5})).load();
  EXPECT_NE(empty.data, nullptr);
  const TensorData scalar = Holder(OnnxTensor("x", {}).floats({1})).load();
  EXPECT_TRUE(scalar.dims.empty());
}

TEST(TensorValues, sizes_must_agree) {
  EXPECT_EQ(message_of(OnnxTensor("w", {3}).floats({1, 2})),
            "tensor \"w\": its 3 elements take 12 bytes but float_data holds 8");
  EXPECT_EQ(message_of(OnnxTensor("w", {3}).raw("12345678")),
            "tensor \"w\": its 3 elements take 12 bytes but raw_data holds 8");
  EXPECT_EQ(message_of(OnnxTensor("w", {3}, 7).int64s({1})),
            "tensor \"w\": its dims want 3 elements but int64_data has only 1 bytes");
  EXPECT_EQ(message_of(OnnxTensor("w", {2}, 7).int64s({1, 2, 3})),
            "tensor \"w\": its 2 elements are stored as 2 integers but int64_data holds 3");
  EXPECT_EQ(message_of(OnnxTensor("w", {2}, 8).strings({"a"})),
            "tensor \"w\": its dims want 2 elements but string_data holds 1");
  EXPECT_EQ(message_of(OnnxTensor("w", {-1}).floats({1})),
            "tensor \"w\": dims [-1] have a negative size");
  EXPECT_EQ(message_of(OnnxTensor("w", {int64_t{1} << 40, int64_t{1} << 40}).floats({1})),
            "tensor \"w\": dims [1099511627776, 1099511627776] have more elements than any memory "
            "holds");
  EXPECT_NE(message_of(OnnxTensor("w", {int64_t{1} << 59}).floats({1})).find("raw_data"), 0U);
  EXPECT_EQ(message_of(OnnxTensor("w", {1}, 2).int32s({256})),
            "tensor \"w\": int32_data holds 256, which does not fit u8");
  EXPECT_EQ(message_of(OnnxTensor("w", {1}).floats({1}).raw("1234")),
            "tensor \"w\": it has its values twice, in raw_data and in a typed field");
  EXPECT_EQ(message_of(OnnxTensor("w", {1}, 99), ErrorCode::unsupported),
            "tensor \"w\": 99 is not an element type of ONNX known here (1 to 26)");
}

TEST(TensorValues, sparse) {
  const OnnxTensor values = OnnxTensor("v", {2}).floats({1, 2});
  const TensorData by_position =
      Holder(OnnxSparse(values, OnnxTensor("i", {2}, 7).int64s({1, 5}), {2, 3})).load();
  EXPECT_EQ(by_position.dims, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(hex(by_position, 24), "000000000000803f00000000000000000000000000000040");
  const TensorData by_coordinates =
      Holder(OnnxSparse(values, OnnxTensor("i", {2, 2}, 7).int64s({0, 1, 1, 2}), {2, 3})).load();
  EXPECT_EQ(hex(by_coordinates, 24), hex(by_position, 24));
  const TensorData nibbles = Holder(OnnxSparse(OnnxTensor("v", {2}, 21).int32s({0x95}),
                                               OnnxTensor("i", {2}, 7).int64s({0, 3}), {5}))
                                 .load();
  EXPECT_EQ(hex(nibbles, 3), "059000");
}

TEST(TensorValues, bad_sparse_tensors) {
  const OnnxTensor values = OnnxTensor("v", {2}).floats({1, 2});
  const auto indices = [](const std::vector<int64_t>& list, const OnnxDims& dims) {
    return OnnxTensor("i", dims, 7).int64s(list);
  };
  EXPECT_EQ(message_of(OnnxSparse(values, indices({1, 6}, {2}), {2, 3})),
            "sparse tensor \"v\": index 6 is outside its 6 elements");
  EXPECT_EQ(message_of(OnnxSparse(values, indices({0, 0, 1, -1}, {2, 2}), {2, 3})),
            "sparse tensor \"v\": index -1 on axis 1 is outside its dims [2, 3]");
  EXPECT_EQ(
      message_of(OnnxSparse(values, indices({0, 1, 2}, {3}), {2, 3})),
      "sparse tensor \"v\": its indices have dims [3]; 2 values of rank 2 need [2] or [2, 2]");
  const std::string huge = message_of(OnnxSparse(values, indices({0, 1}, {2}), {int64_t{1} << 40}),
                                      ErrorCode::unsupported);
  EXPECT_NE(huge.find("sparse tensors up to 4294967296 are supported"), std::string::npos);
}

class External : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_ / "model");
    std::filesystem::create_directory(folder_ / "model" / "sub");
    const float values[] = {1, 2, 3, 4};
    bytes_.assign(reinterpret_cast<const char*>(values), sizeof(values));
    write_test_file(folder_ / "model" / "w.bin", bytes_);
    write_test_file(folder_ / "model" / "sub" / "w.bin", bytes_);
    write_test_file(folder_ / "secret", bytes_);
  }
  std::filesystem::path home() const { return folder_ / "model"; }
  std::string refused(const OnnxTensor& tensor, ErrorCode code = ErrorCode::invalid_model) const {
    return message_of(tensor, code, home());
  }
  static OnnxTensor at(std::string_view location, int64_t offset = -1, int64_t length = -1) {
    return OnnxTensor("w", {2}).external(location, offset, length);
  }
  TemporaryFolder folder_;
  std::string bytes_;
};

TEST_F(External, offsets_and_lengths) {
  EXPECT_EQ(hex(Holder(at("w.bin"), home()).load(), 8), "0000803f00000040");
  EXPECT_EQ(hex(Holder(at("w.bin", 8, 8), home()).load(), 8), "0000404000008040");
  EXPECT_EQ(hex(Holder(at("sub/w.bin", 6), home()).load(), 4), "00400000");
  EXPECT_EQ(hex(Holder(at("./sub/w.bin").external_entry("checksum", "x"), home()).load(), 0), "");
}

TEST_F(External, one_mapping_a_file) {
  OnnxGraph graph;
  graph.initializer(at("w.bin", 0));
  graph.initializer(at("w.bin", 8));
  OnnxModel(graph).opset(18).save(home() / "m.onnx");
  const Model model = onnx::read_model(home() / "m.onnx");
  const TensorData a = onnx::to_tensor(model.graph.initializers.at(0), model);
  const TensorData b = onnx::to_tensor(model.graph.initializers.at(1), model);
  EXPECT_EQ(a.owner, b.owner);
  EXPECT_EQ(a.data + 8, b.data);
}

TEST_F(External, past_2_gib) {
  const uint64_t offset = (uint64_t{5} << 30) + 4;
  std::filesystem::resize_file(home() / "w.bin", offset + 8);
  EXPECT_EQ(hex(Holder(at("w.bin", static_cast<int64_t>(offset), 8), home()).load(), 8),
            "0000000000000000");
}

TEST_F(External, stays_in_the_folder) {
  std::filesystem::create_symlink("../secret", home() / "link.bin");
  std::filesystem::create_directory_symlink("..", home() / "up");
  std::filesystem::create_symlink("w.bin", home() / "fine.bin");
  const std::string absolute = (folder_ / "secret").string();
  for (const std::string& location :
       {std::string("../secret"), std::string("sub/../../secret"), absolute, std::string("")}) {
    EXPECT_NE(refused(at(location)).find("must be a path inside the model's folder"),
              std::string::npos)
        << location;
  }
  EXPECT_NE(refused(at(std::string("w.bin\0x", 7))).find("holds a zero byte"), std::string::npos);
  EXPECT_NE(refused(at("link.bin")).find("outside the model's folder; copy the file itself there"),
            std::string::npos);
  EXPECT_NE(refused(at("up/secret")).find("outside the model's folder"), std::string::npos);
  EXPECT_EQ(refused(at("fine.bin")), "no error");
}

TEST_F(External, bad_entries) {
  EXPECT_NE(refused(at("missing.bin"), ErrorCode::io).find("No such file"), std::string::npos);
  EXPECT_NE(refused(at("w.bin", 12))
                .find("its values are bytes 12 to 20 of \"w.bin\", which has "
                      "only 16; the file is truncated"),
            std::string::npos);
  EXPECT_NE(refused(at("w.bin", INT64_MAX)).find("which has only 16"), std::string::npos);
  EXPECT_NE(refused(at("w.bin", 0, 4)).find("external data's length is 4"), std::string::npos);
  EXPECT_NE(refused(at("w.bin").external_entry("offset", "-4")).find("\"-4\", not a number"),
            std::string::npos);
  EXPECT_NE(refused(OnnxTensor("w", {2}).external_entry("offset", "0")).find("no \"location\""),
            std::string::npos);
  EXPECT_NE(message_of(at("w.bin")).find("not read from a folder"), std::string::npos);
  EXPECT_NE(refused(at("sub"), ErrorCode::io).find("is a folder"), std::string::npos);
}

}  // namespace
}  // namespace tenrec
