// SPDX-License-Identifier: Apache-2.0
// A recording that the device itself can time: what the host does meanwhile does not count.
#pragma once
#include "runtime/device.h"

namespace tenrec {

class TimedRecording : public Recording {
 public:
  // Replays, waits, and says how many microseconds the device took; 0: it cannot tell.
  virtual double replay_timed() = 0;
};

}  // namespace tenrec
