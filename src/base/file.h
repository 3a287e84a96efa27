// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace tenrec {

// A whole regular file, mapped read-only for as long as someone holds it. The file must not be
// shortened meanwhile (replacing it by rename, as write_file_atomic does, is fine).
class MappedFile {
 public:
  // Missing, unreadable, empty or no regular file: an io Error that says so.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  const std::filesystem::path& path() const { return path_; }
  // This part needs no memory for now: it is read again from the file when it is used. Whoever goes
  // through a large file once says so behind itself.
  void forget(std::span<const std::byte> part) const;

 private:
  MappedFile(std::filesystem::path path, const std::byte* data, size_t size)
      : path_(std::move(path)), data_(data), size_(size) {}
  std::filesystem::path path_;
  const std::byte* data_;
  size_t size_;
};

// What write_file_atomic lends its callback.
class FileWriter {
 public:
  void write(std::span<const std::byte> bytes);  // at the end
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  void write_at(uint64_t offset, std::span<const std::byte> bytes);  // over bytes already written
  void pad_to(uint64_t multiple);                                    // zeros up to a multiple
  uint64_t size() const { return size_; }

 private:
  friend void write_file_atomic(const std::filesystem::path&,
                                const std::function<void(FileWriter&)>&);
  FileWriter(int descriptor, const std::filesystem::path& path)
      : descriptor_(descriptor), path_(path) {}
  void write_all(uint64_t offset, std::span<const std::byte> bytes);
  int descriptor_;
  const std::filesystem::path& path_;
  uint64_t size_ = 0;
};

// `path` becomes the complete new file or stays as it was: the bytes go to a temporary file beside
// it, are synced to disk, then renamed over it. On any failure (the callback's included) the
// temporary file is removed and the Error goes on. A symbolic link is followed, not replaced.
void write_file_atomic(const std::filesystem::path& path,
                       const std::function<void(FileWriter&)>& body);
void write_file_atomic(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomic(const std::filesystem::path& path, std::string_view text);

}  // namespace tenrec
