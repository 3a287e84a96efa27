// SPDX-License-Identifier: Apache-2.0
// The engine as a file (plan/format.h): what a builder writes and a runtime or `inspect` reads.
#pragma once
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "plan/plan.h"

namespace tenrec::plan {

struct Io {
  std::vector<Binding> inputs, outputs;
  static auto fields(auto& s) {
    return std::tuple{field(1, "inputs", s.inputs), field(2, "outputs", s.outputs)};
  }
};

struct WeightTable {
  std::vector<Weight> weights;
  static auto fields(auto& s) { return std::tuple{field(1, "weights", s.weights)}; }
};

// An original weight: what `@name` in the graph text stands for. Strings cannot lie in WEIGHTS.
struct Original {
  std::string name;
  int32_t weight = none;
  std::vector<int64_t> dims;         // of `strings`
  std::vector<std::string> strings;  // weight == none
  static auto fields(auto& s) {
    return std::tuple{field(1, "name", s.name), field(2, "weight", s.weight),
                      field(3, "dims", s.dims), field(4, "strings", s.strings)};
  }
};

struct GraphSection {  // what other machines re-specialise from; empty when lean
  std::string text;
  std::vector<Original> originals;
  static auto fields(auto& s) {
    return std::tuple{field(1, "text", s.text), field(2, "originals", s.originals)};
  }
};

// Collects weights for writing, the same bytes only once. Spans stay the caller's; `owner` keeps
// them alive.
class WeightStore {
 public:
  struct Piece {
    uint64_t offset = 0;
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;
  };
  // The weight's number. Same bytes, dtype and dims give the same number again.
  int32_t add(DType dtype, std::vector<int64_t> dims, std::span<const std::byte> bytes,
              std::shared_ptr<const void> owner);
  const std::vector<Weight>& weights() const { return weights_; }
  const std::vector<Piece>& pieces() const { return pieces_; }
  uint64_t bytes() const { return bytes_; }  // of the WEIGHTS section

 private:
  std::vector<Weight> weights_;
  std::vector<Piece> pieces_;
  std::unordered_multimap<Hash128, size_t> piece_by_hash_;
  std::unordered_multimap<uint64_t, int32_t> weight_by_offset_;
  uint64_t bytes_ = 0;
};

// Collects the texts of device code, each only once.
class CodeStore {
 public:
  int32_t add(KernelSource source);  // the text's number
  const std::vector<KernelSource>& sources() const { return sources_; }

 private:
  std::vector<KernelSource> sources_;
  std::unordered_multimap<Hash128, int32_t> by_hash_;
};

struct SourceTable {
  std::vector<KernelSource> sources;
  static auto fields(auto& s) { return std::tuple{field(1, "sources", s.sources)}; }
};
struct CodeTable {
  std::vector<KernelImage> images;
  static auto fields(auto& s) { return std::tuple{field(1, "images", s.images)}; }
};

// Everything of an engine that is to be written.
struct EngineParts {
  Meta meta;
  Io io;
  std::vector<Plan> plans;
  WeightStore weights;
  GraphSection graph;
  std::string debug;
  SourceTable source;  // empty when lean
  CodeTable code;
  std::vector<std::span<const std::byte>> others;  // engine files for other targets; not owned
};
// The same parts give the same bytes.
std::vector<std::byte> serialise(const EngineParts& parts);
void write_engine(const EngineParts& parts, const std::filesystem::path& path);  // atomically

// An engine read back: decoded, checksums verified and validated completely; weights stay where
// they lie in `image`.
struct EngineFile {
  Meta meta;
  Io io;
  std::vector<Plan> plans;
  std::vector<Weight> weights;
  std::span<const std::byte> weight_bytes;
  GraphSection graph;
  std::string debug;
  SourceTable source;
  CodeTable code;
  std::vector<std::span<const std::byte>> others;  // engine files for other targets, not read yet
  std::span<const std::byte> image;                // the whole file
  std::shared_ptr<const void> owner;               // of `image`

  std::span<const std::byte> weight(size_t index) const {
    return weight_bytes.subspan(weights[index].offset, weights[index].bytes);
  }

  // An invalid_engine Error names what is wrong and where.
  static EngineFile open(const std::filesystem::path& path);
  static EngineFile read(std::span<const std::byte> image, std::shared_ptr<const void> owner);
  EngineFile other(size_t index) const;
  // Ready to be changed and written again; the same bytes if nothing is changed.
  EngineParts parts() const;
};

}  // namespace tenrec::plan
