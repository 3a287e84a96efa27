# SPDX-License-Identifier: Apache-2.0
"""NumPy's side of Tenrec's values: element types, and packing of those under a byte."""

import functools
from typing import Any

import numpy as np

from tenrec import _tenrec
from tenrec._error import Error, ErrorCode

_NUMPY = {
    "f32": "float32", "f64": "float64", "f16": "float16", "bool": "bool",
    "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
    "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64",
    "c64": "complex64", "c128": "complex128", "string": "object",
}  # fmt: skip
# Types that NumPy leaves to the package ml_dtypes.
_ML_DTYPES = {
    "bf16": "bfloat16", "f8e4m3fn": "float8_e4m3fn", "f8e4m3fnuz": "float8_e4m3fnuz",
    "f8e5m2": "float8_e5m2", "f8e5m2fnuz": "float8_e5m2fnuz", "f8e8m0": "float8_e8m0fnu",
    "f4e2m1": "float4_e2m1fn", "u4": "uint4", "i4": "int4", "u2": "uint2", "i2": "int2",
}  # fmt: skip
_BITS = {"f4e2m1": 4, "u4": 4, "i4": 4, "u2": 2, "i2": 2}  # of types that share bytes
_NAMES = {name: key for key, name in {**_NUMPY, **_ML_DTYPES}.items()}


@functools.cache
def numpy_dtype(name: str) -> np.dtype:
    """NumPy's type for "f32" and its like; those that NumPy lacks come from ml_dtypes."""
    if name in _NUMPY:
        return np.dtype(_NUMPY[name])
    try:
        import ml_dtypes
    except ImportError:
        raise Error(
            ErrorCode.USAGE, f"NumPy has no type for {name} by itself; pip install ml_dtypes"
        ) from None
    return np.dtype(getattr(ml_dtypes, _ML_DTYPES[name]))


@functools.cache
def dtype_name(dtype: np.dtype) -> str:
    """Tenrec's name of a NumPy type."""
    if dtype.kind in "OUST":
        return "string"
    if dtype.name not in _NAMES:
        raise Error(ErrorCode.INVALID_INPUT, f"arrays of {dtype} are no tensors; convert it first")
    return _NAMES[dtype.name]


def _packed(array: np.ndarray, bits: int) -> np.ndarray:
    per_byte = 8 // bits
    codes = array.reshape(-1).view(np.uint8) & ((1 << bits) - 1)
    codes = np.pad(codes, (0, -codes.size % per_byte)).reshape(-1, per_byte)
    packed = np.zeros(len(codes), np.uint8)
    for i in range(per_byte):
        packed |= codes[:, i] << (bits * i)
    return packed


def _unpacked(memory: np.ndarray, count: int, dtype: np.dtype, bits: int) -> np.ndarray:
    parts = [(memory >> shift) & ((1 << bits) - 1) for shift in range(0, 8, bits)]
    codes = np.stack(parts, axis=1).reshape(-1)[:count]
    if dtype.name.startswith("int"):  # keep the sign
        codes = (codes.astype(np.int8) << (8 - bits)) >> (8 - bits)
    return codes.astype(np.uint8).view(dtype)


def memory_of(array: np.ndarray) -> tuple[str, list[int], np.ndarray]:
    """Element type, sizes and packed bytes; the array's own memory where it is in order."""
    name = dtype_name(array.dtype)
    array = array if array.flags.c_contiguous else np.ascontiguousarray(array)
    if name in _BITS:
        return name, list(array.shape), _packed(array, _BITS[name])
    return name, list(array.shape), array.reshape(-1).view(np.uint8)


def array_of(name: str, dims: list[int], memory: np.ndarray) -> np.ndarray:
    """The other way: a view of `memory` where elements are whole bytes."""
    dtype = numpy_dtype(name)
    if name in _BITS:
        memory = _unpacked(memory, int(np.prod(dims, dtype=np.int64)), dtype, _BITS[name])
    return memory.view(dtype).reshape(dims)


def _texts(array: np.ndarray) -> list[str]:
    return [x.decode() if isinstance(x, bytes) else str(x) for x in array.reshape(-1)]


def to_value(data: Any) -> _tenrec.Value:
    """Any value of a model: an array, a list for a sequence, None for an empty optional, a dict for
    a map."""
    if data is None:
        return _tenrec.Value.optional([])
    if isinstance(data, (list, tuple)):
        return _tenrec.Value.sequence([to_value(each) for each in data])
    if isinstance(data, dict):
        keys, values = (to_value(_vector(each)) for each in (data.keys(), data.values()))
        return _tenrec.Value.map(keys, values)
    array = np.asarray(data)
    if dtype_name(array.dtype) == "string":
        return _tenrec.Value.strings_tensor(list(array.shape), _texts(array))
    return _tenrec.Value.tensor(*memory_of(array))


def _vector(elements: Any) -> np.ndarray:
    """Python's floats become float32, which models mostly want; np.float64 stays as it is."""
    listed = list(elements)
    array = np.array(listed)
    is_plain = array.dtype == np.float64 and not any(isinstance(x, np.float64) for x in listed)
    return array.astype(np.float32) if is_plain else array


def from_value(value: _tenrec.Value) -> Any:
    """An array, list, dict, or None for an empty optional. Arrays of numbers are not copied."""
    kind = value.kind
    if kind == "tensor":
        if value.dtype != "string":
            return array_of(value.dtype, value.dims, value.memory)
        texts = np.empty(len(value.strings), object)
        texts[:] = value.strings
        return texts.reshape(value.dims)
    elements = [from_value(each) for each in value.elements]
    if kind == "map":
        return dict(zip(elements[0].tolist(), elements[1].tolist()))
    if kind == "sequence":
        return elements
    return elements[0] if elements else None
