// SPDX-License-Identifier: Apache-2.0
// Damage for files of ours and of others: bits, cuts and edits of single fields through the
// protobuf wire format. One harness for engines (whose checksums are made right again) and models.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace tenrec::test {

using Bytes = std::vector<std::byte>;
using Random = std::mt19937_64;

// Little-endian numbers inside a file's bytes.
uint64_t get(const Bytes& bytes, uint64_t offset, int size);
void put(Bytes& bytes, uint64_t offset, int size, uint64_t value);

// The sections of an engine file, to be changed and put together again with right checksums.
struct EngineImage {
  struct Section {
    uint32_t kind = 0, flags = 0;
    std::string bytes;
  };
  Bytes header;
  std::vector<Section> sections;

  explicit EngineImage(const Bytes& file);  // is_engine_image(file)
  Bytes bytes() const;
};
// Do header and table make enough sense to be taken apart?
bool is_engine_image(const Bytes& file);
// Makes every checksum right again where the table still makes sense, as someone malicious would.
void repair_checksums(Bytes& engine);

// Payloads seen in other files, by field number: what an edit may splice in.
class Donors {
 public:
  void add(std::string_view message);
  const std::string* any(uint32_t id, Random& random) const;

 private:
  void add(std::string_view message, int depth);
  std::map<uint32_t, std::vector<std::string>> payloads_;
};

void add_sections(const Bytes& engine, Donors& donors);  // those of its plans

// One field somewhere in the message gets another value, another place, a twin, or goes.
std::string edit_message(std::string_view message, const Donors& donors, Random& random);
// Flips, overwrites or cuts bytes.
void damage_bytes(Bytes& bytes, Random& random);

// One to three changes; the checksums are right in seven of eight.
Bytes mutated_engine(const Bytes& engine, const Donors& donors, Random& random);
Bytes mutated_model(const Bytes& model, const Donors& donors, Random& random);

// Ends the process, saying what was being done, when a mutation takes longer than `seconds`.
class HangGuard {
 public:
  HangGuard(const std::string& what, unsigned seconds);
  HangGuard(const HangGuard&) = delete;
  HangGuard& operator=(const HangGuard&) = delete;
  ~HangGuard();
};

}  // namespace tenrec::test
