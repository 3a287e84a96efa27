// SPDX-License-Identifier: Apache-2.0
// All loops for one instruction set as plain pointers: fetched once when a Device opens.
#pragma once

#include "targets/cpu/run/conv_depthwise.h"
#include "targets/cpu/run/conv_direct.h"
#include "targets/cpu/run/conv_plain.h"
#include "targets/cpu/run/conv_rows.h"
#include "targets/cpu/run/conv_stem.h"
#include "targets/cpu/run/conv_winograd.h"
#include "targets/cpu/run/gemm.h"
#include "targets/cpu/run/isa.h"

namespace tenrec::cpu {

struct Loops {
  Isa isa;
  int block;  // channel block B of blocked layouts
  ConvDirectRun conv_direct;
  ConvStemRun conv_stem;
  ConvDepthwiseRun conv_depthwise;
  ConvRowsRun conv_rows;
  ConvWinogradRun conv_winograd;
  ConvPlainRun conv_plain;
  GemmRun gemm;
};

inline Loops loops(Isa isa) {
  return {isa,
          block_of(isa),
          conv_direct(isa),
          conv_stem(isa),
          conv_depthwise(isa),
          conv_rows(isa),
          conv_winograd(isa),
          conv_plain(isa),
          gemm(isa)};
}

}  // namespace tenrec::cpu
