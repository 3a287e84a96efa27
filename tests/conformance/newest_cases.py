# SPDX-License-Identifier: Apache-2.0
"""The newest single-node cases: `newest_cases.py ONNX_CASES`.

Writes those that the installed onnx package makes and ONNX_CASES lacks to ONNX_CASES/newest.
"""

import argparse
import pathlib
import sys
import types
import warnings

from onnx.backend.test import cmd_tools
from onnx.backend.test.case.node import collect_testcases


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    known = {path.parent.name for path in folder.rglob("model.onnx")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # casts of infinity
        missing = [case for case in collect_testcases(None) if case.name not in known]
    # ONNX's own tool writes the files, of these alone.
    cmd_tools.model_test = types.SimpleNamespace(collect_testcases=lambda: missing)
    cmd_tools.generate_data(argparse.Namespace(output=str(folder / "newest")))
    print(f"{len(missing)} cases that the archive has not")


if __name__ == "__main__":
    main()
