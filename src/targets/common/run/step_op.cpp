// SPDX-License-Identifier: Apache-2.0
#include "targets/common/run/step_op.h"

namespace tenrec {

Op decode_step_op(const plan::Step& step) {
  const OpInfo* info = find_op(step.op);
  TENREC_CHECK(info, invalid_engine,
               "step of family \"{}\" names operator \"{}\", which this Tenrec lacks", step.family,
               step.op);
  return Op(*info, info->decode(step.op_fields));
}

}  // namespace tenrec
