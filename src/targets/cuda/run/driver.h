// SPDX-License-Identifier: Apache-2.0
// The driver's objects as values that clean up after themselves. All calls check; a device Error
// says what was asked, of which GPU, and what the driver answered.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "targets/cuda/run/dynlib.h"

namespace tenrec::cuda {

void check(CUresult result, std::string_view what);

// One GPU of this machine with its primary context, shared by all devices on it.
class Gpu {
 public:
  static std::shared_ptr<Gpu> open(int index);
  explicit Gpu(int index);
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;
  ~Gpu();

  const DriverApi& api() const { return api_; }
  CUdevice device() const { return device_; }
  int capability() const { return capability_; }  // 90 for sm_90
  int multiprocessors() const { return multiprocessors_; }
  int shared_bytes() const { return shared_bytes_; }  // a block may have, opted in
  uint64_t l2_bytes() const { return l2_bytes_; }
  const std::string& name() const { return name_; }
  int driver_version() const { return driver_version_; }
  // Makes this GPU the calling thread's; every use of the driver begins with it.
  void enter() const;
  void enter_unchecked() const noexcept { api_.cuCtxSetCurrent(context_); }

  // A kernel of a cubin; modules are loaded once and stay. `dynamic_shared` bytes are opted in.
  CUfunction function(std::string_view image, const std::string& entry, int dynamic_shared);

 private:
  int attribute(CUdevice_attribute attribute) const;
  const DriverApi& api_;
  CUdevice device_ = 0;
  CUcontext context_ = nullptr;
  int capability_ = 0, multiprocessors_ = 0, shared_bytes_ = 0, driver_version_ = 0;
  uint64_t l2_bytes_ = 0;
  std::string name_;
  std::mutex mutex_;
  std::map<Hash128, CUmodule> modules_;
};

class Stream {
 public:
  explicit Stream(std::shared_ptr<Gpu> gpu);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();
  CUstream get() const { return stream_; }
  void synchronise() const;

 private:
  std::shared_ptr<Gpu> gpu_;
  CUstream stream_ = nullptr;
};

// Pinned memory that inputs pass through on their way to the GPU. From a program's own memory the
// driver copies in pieces and waits for each; from here it only queues the copy.
class Passage {
 public:
  explicit Passage(std::shared_ptr<Gpu> gpu) : gpu_(std::move(gpu)) {}
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;
  ~Passage();
  // Where the bytes lie now; null: they do not fit beside what came since the last clear().
  const void* enter(const void* from, uint64_t bytes);
  void clear() { used_ = 0; }  // all copies are done

 private:
  std::shared_ptr<Gpu> gpu_;
  std::byte* data_ = nullptr;
  uint64_t used_ = 0;
};

// A point in a stream that another one waits for.
class Event {
 public:
  explicit Event(std::shared_ptr<Gpu> gpu, bool timed = false);
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event();
  void record(CUstream stream);
  void hold_back(CUstream stream) const;  // what comes later there starts after the point
  // Microseconds; both timed and over.
  double since(const Event& earlier) const;

 private:
  std::shared_ptr<Gpu> gpu_;
  CUevent event_ = nullptr;
};

}  // namespace tenrec::cuda
