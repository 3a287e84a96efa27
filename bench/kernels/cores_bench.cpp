// SPDX-License-Identifier: Apache-2.0
// How near two cores are to each other: what it costs to hand a line of the cache over. On a
// virtual machine the host may move the cores between runs, and every timing of two threads with
// them: compare only timings of the same state.
//
//   cores_bench [rounds]
#include <atomic>
#include <cstdio>
#include <thread>

#include "bench.h"

namespace tenrec::cpu::bench {
namespace {

constexpr size_t lines = 1024, floats_a_line = 16;  // 64 KiB: in the second-level cache

// Two threads that take turns: the calling one is core 0.
class Pair {
 public:
  Pair() : other_([this] { serve(); }) {}
  ~Pair() {
    on_other(nullptr);
    other_.join();
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  void on_other(void (*work)(float*), float* data = nullptr) {
    work_ = work;
    data_ = data;
    turn_.store(1);
    while (turn_.load() != 0) continue;
  }

 private:
  void serve() {
    for (bool more = true; more;) {
      while (turn_.load() != 1) continue;
      more = work_ != nullptr;
      if (more) work_(data_);
      turn_.store(0);
    }
  }
  std::atomic<int> turn_ = 0;
  void (*work_)(float*) = nullptr;
  float* data_ = nullptr;
  std::thread other_;
};

void write_lines(float* data) {
  for (size_t i = 0; i < lines * floats_a_line; i++) data[i] = 1;
}
void read_lines(float* data) {
  float sum = 0;
  for (size_t i = 0; i < lines * floats_a_line; i += floats_a_line) sum += data[i];
  asm volatile("" : : "r"(sum));
}
void nothing(float*) {}

// Nanoseconds a line of `timed` on this core after `before`.
template <class Before>
double per_line(const Before& before, void (*timed)(float*), float* data) {
  std::vector<double> seconds;
  for (int i = 0; i < 101; i++) {
    before();
    const double start = now();
    timed(data);
    seconds.push_back(now() - start);
  }
  return 1e9 * median(seconds) / lines;
}

void measure() {
  const Memory memory(lines * floats_a_line);
  float* data = memory.get();
  Pair pair;
  std::vector<double> round_trips;
  for (int i = 0; i < 2000; i++) {
    const double start = now();
    pair.on_other(nothing);
    round_trips.push_back(now() - start);
  }
  const double own = per_line([&] { write_lines(data); }, write_lines, data);
  const double read = per_line([&] { pair.on_other(write_lines, data); }, read_lines, data);
  const double again = per_line(
      [&] {
        write_lines(data);
        pair.on_other(read_lines, data);
      },
      write_lines, data);
  std::printf(
      "round trip %4.0f ns; a line: read what the other wrote %5.2f ns, write %5.2f ns, write what "
      "the other has read since %5.2f ns\n",
      1e9 * median(round_trips), read, own, again);
}

}  // namespace
}  // namespace tenrec::cpu::bench

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 5;
  for (int i = 0; i < rounds; i++) tenrec::cpu::bench::measure();
}
