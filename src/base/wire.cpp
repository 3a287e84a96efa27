// SPDX-License-Identifier: Apache-2.0
#include "base/wire.h"

#include <new>

namespace tenrec::wire {

void DecodeState::enter(int id, std::string_view name) {
  path_.push_back({id, name, -1});
  TENREC_CHECK(path_.size() <= static_cast<size_t>(limits_.depth), invalid_engine,
               "messages are nested more than {} deep", limits_.depth);
}

void DecodeState::charge(uint64_t bytes, const char* where) {
  used_ += bytes;
  if (used_ > limits_.memory) {
    throw MalformedProtobuf(
        fmt::format("decoding needs more than the allowed {} bytes", limits_.memory), where);
  }
}

std::string DecodeState::path() const {
  if (path_.empty()) return "the outermost message";
  std::string text;
  for (const Place& place : path_) {
    if (!text.empty()) text += '.';
    text += place.name;
    if (place.index >= 0) text += fmt::format("[{}]", place.index);
  }
  return text + fmt::format(" (field {})", path_.back().id);
}

void rethrow_as_error(const DecodeState& state, std::string_view bytes) {
  try {
    throw;
  } catch (const MalformedProtobuf& error) {
    fail(ErrorCode::invalid_engine, "decoding {} at byte {}: {}; the data is damaged", state.path(),
         error.where() - bytes.data(), error.what());
  } catch (const Error& error) {
    fail(ErrorCode::invalid_engine, "decoding {}: {}", state.path(), error.what());
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::out_of_memory, "decoding {}: not enough memory", state.path());
  }
}

}  // namespace tenrec::wire
