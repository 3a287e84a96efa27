// SPDX-License-Identifier: Apache-2.0
#include "base/protobuf.h"

#include <gtest/gtest.h>

namespace tenrec {
namespace {

TEST(Protobuf, reads_what_it_writes) {
  std::string bytes;
  ProtobufWriter writer(bytes);
  writer.varint(1, 300);
  writer.fixed32(2, 0x01020304);
  writer.fixed64(3, 5);
  writer.bytes(400, "text");
  // The encoding guide's own example, then tags by hand.
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x08\xac\x02\x15\x04\x03\x02\x01", 8));
  ProtobufReader reader(bytes);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.varint(), 300U);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.fixed32(), 0x01020304U);
  ASSERT_TRUE(reader.next());
  reader.skip();
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.id(), 400U);
  EXPECT_EQ(reader.bytes(), "text");
  EXPECT_FALSE(reader.next());
}

void read_all(std::string_view bytes) {
  ProtobufReader reader(bytes);
  while (reader.next()) reader.skip();
}

TEST(Protobuf, refuses_damage) {
  // A length of 2^32 + 1, which 32 bits would cut to 1.
  EXPECT_THROW(read_all(std::string("\x0a\x81\x80\x80\x80\x10x", 7)), MalformedProtobuf);
  EXPECT_THROW(read_all("\x0a\x05text"), MalformedProtobuf);
  EXPECT_THROW(read_all("\x08\xff"), MalformedProtobuf);
  EXPECT_THROW(read_all("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), MalformedProtobuf);
  EXPECT_THROW(read_all("\x0b"), MalformedProtobuf);                          // a group
  EXPECT_THROW(read_all(std::string("\x00\x01", 2)), MalformedProtobuf);      // field 0
  EXPECT_THROW(read_all("\x88\x80\x80\x80\x80\x01\x01"), MalformedProtobuf);  // a tag over 32 bits
  EXPECT_THROW(read_all(std::string("\x15\x01\x02", 3)), MalformedProtobuf);
}

TEST(Protobuf, a_wrong_wire_type_is_an_error) {
  ProtobufReader reader(std::string_view("\x08\x01", 2));
  ASSERT_TRUE(reader.next());
  EXPECT_THROW(reader.bytes(), MalformedProtobuf);
  EXPECT_THROW(reader.fixed32(), MalformedProtobuf);
  EXPECT_EQ(reader.varint(), 1U);
}

}  // namespace
}  // namespace tenrec
