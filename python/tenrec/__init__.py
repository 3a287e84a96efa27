# SPDX-License-Identifier: Apache-2.0
"""Compile ONNX models into engines and run them on NumPy arrays.

    import tenrec

    engine = tenrec.build("model.onnx").load()
    context = engine.create_context()
    scores = context.run({"image": image})["scores"]

Everything raises `tenrec.Error`, whose text names the node, input or file and says what to do.
"""

from tenrec._engine import BuildResult, Context, Engine, Profile, Tensor, build
from tenrec._error import Error, ErrorCode
from tenrec._tenrec import InputRange, MemoryReport, TensorInfo
from tenrec._tenrec import version as __version__

__all__ = [
    *("BuildResult", "Context", "Engine", "Error", "ErrorCode", "InputRange", "MemoryReport"),
    *("Profile", "Tensor", "TensorInfo", "build", "__version__"),
]
