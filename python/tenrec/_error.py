# SPDX-License-Identifier: Apache-2.0
"""The one exception that everything in this package raises."""

import enum


class ErrorCode(enum.IntEnum):
    """What went wrong, in the terms a caller can act on. Also the exit codes of `tenrec`."""

    INTERNAL = 1  # a bug in Tenrec: please report it
    USAGE = 2  # the request itself makes no sense
    IO = 3  # a file could not be read or written
    INVALID_MODEL = 4  # the model breaks the ONNX rules
    UNSUPPORTED = 5  # valid, but Tenrec cannot do it
    INVALID_ENGINE = 6  # the engine file is damaged, too new, or not for this machine
    INVALID_INPUT = 7  # an input of run() has the wrong name, type or shape
    OUT_OF_MEMORY = 8  # an allocation failed or the memory limit was reached
    CANCELLED = 9  # `progress` asked to stop
    MISMATCH = 10  # a comparison found a difference
    DEVICE = 11  # a device or one of its libraries is missing or failed


class Error(RuntimeError):
    """`str(error)` says what failed, on which node, input or file, what was expected and what came,
    and what to do next; `error.code` is the kind of failure."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = ErrorCode(code)

    def __reduce__(self):
        return Error, (int(self.code), str(self))
