# SPDX-License-Identifier: Apache-2.0
"""Building, loading and running."""

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tenrec import _tenrec
from tenrec._error import Error, ErrorCode
from tenrec._values import array_of, from_value, memory_of, to_value

Path = str | os.PathLike[str]


@dataclasses.dataclass
class Profile:
    """Sizes that one plan of an engine is made for. Inputs that are not named stay open.

    dims: for an input, the least, the preferred and the largest size of each axis,
        `{"image": ((1, 3, 64, 64), (1, 3, 224, 224), (8, 3, 512, 512))}`; -1 as largest: no bound.
    values: the same for the elements of an input whose value decides shapes.
    """

    dims: Mapping[str, Sequence[Sequence[int]]] = dataclasses.field(default_factory=dict)
    values: Mapping[str, Sequence[Sequence[float]]] = dataclasses.field(default_factory=dict)


def build(
    model: Path | bytes,
    *,
    target: str = "cpu",
    precision: str = "f32",
    tf32: bool = False,
    profiles: Iterable[Profile] = (),
    threads: int = 0,
    timing_cache: Path = "",
    compilation_cache: bool = True,
    tune: bool = True,
    tune_budget: float = 0,
    vendor: bool = True,
    fallback: bool = True,
    lean: bool = False,
    memory_limit: int = 0,
    tactics: Mapping[str, str] | None = None,
    explain: bool = False,
    folder: Path = "",
    progress: Callable[[str, str, int, int], bool | None] | None = None,
) -> "BuildResult":
    """Compiles an ONNX model.

    model: a path, or the bytes of the file (then `folder` is where its external data lies).
    target: "cpu", "cuda", "cuda:sm_90", or several for one file, best first: "cuda:sm_90,cpu".
    precision: "f16" or "bf16" allow a float32 model to be computed in these.
    tf32: products of float32 may round their operands to TF32.
    profiles: what sizes to make plans for; none: one plan for any.
    threads: of the build; 0: as many as the process may use.
    timing_cache: a file of earlier timings and device code that is read and updated.
    compilation_cache: keep device code in it.
    tune: time the kernels there are for each layer, instead of taking the first.
    tune_budget: seconds to spend on that, then the first is taken; 0: no end.
    vendor: offer oneDNN's, cuBLAS' and cuDNN's kernels too.
    fallback: steps that a device has no kernel for may run on the host.
    lean: leave the graph and its original weights out of the engine.
    memory_limit: bytes of an engine's memory; 0: none.
    tactics: kernels to use for nodes, by the names that `explain` and `tenrec inspect` show.
    explain: fill `BuildResult.explain`.
    progress: called with phase, what is worked on, how much is done and of how much; False stops
        the build with an Error of code CANCELLED.

    Raises Error: INVALID_MODEL, UNSUPPORTED, IO, DEVICE, ... with the node's name.
    """
    options = _tenrec.BuildOptions()
    options.target, options.precision, options.tf32 = target, precision, tf32
    options.threads, options.memory_limit, options.lean = threads, memory_limit, lean
    options.timing_cache, options.tactics = os.fspath(timing_cache), dict(tactics or {})
    options.no_compilation_cache = not compilation_cache
    options.no_tune, options.no_vendor, options.no_fallback = not tune, not vendor, not fallback
    options.keep_explain, options.tune_budget = explain, tune_budget
    for profile in profiles:
        options.add_profile(_lists(profile.dims), _lists(profile.values))
    if isinstance(model, (bytes, bytearray, memoryview)):
        return BuildResult(
            _tenrec.build_bytes(bytes(model), os.fspath(folder), options, progress)
        )
    return BuildResult(_tenrec.build_file(os.fspath(model), options, progress))


def _lists(ranges: Mapping[str, Sequence[Sequence[Any]]]) -> dict[str, list[list[Any]]]:
    return {name: [list(part) for part in range] for name, range in ranges.items()}


class BuildResult:
    """A compiled model, to be saved or loaded."""

    def __init__(self, raw: _tenrec.BuildResult):
        self._raw = raw

    @property
    def notes(self) -> list[str]:
        """What the builder has to say: layers kept in float32, steps on the host, ..."""
        return self._raw.notes

    @property
    def warnings(self) -> list[str]:
        """What the model says and no operator heeds: attributes that an operator does not have."""
        return self._raw.warnings

    @property
    def explain(self) -> str:
        """Every kernel that was asked, its reason to decline or its time (with `explain=True`)."""
        return self._raw.explain

    def save(self, path: Path) -> None:
        """Writes the engine file, whole or not at all."""
        self._raw.save(os.fspath(path))

    def load(self, *, threads: int = 0, device: int = 0, memory_limit: int = 0) -> "Engine":
        """As `Engine.load`, without a file."""
        return Engine(self._raw.load(threads, device, memory_limit))


class Engine:
    """A loaded engine. It may be used from many threads at once; a Context from one at a time."""

    def __init__(self, raw: _tenrec.Engine):
        self._raw = raw

    @staticmethod
    def load(
        source: Path | bytes, *, threads: int = 0, device: int = 0, memory_limit: int = 0
    ) -> "Engine":
        """Loads an engine file, or its bytes.

        threads: 0: as many as the process may use. device: which device of the engine's target.
        memory_limit: bytes that the engine and its contexts may allocate; 0: no limit.
        Raises Error: IO, INVALID_ENGINE, DEVICE.
        """
        if isinstance(source, (bytes, bytearray, memoryview)):
            load, where = _tenrec.Engine.from_bytes, bytes(source)
        else:
            load, where = _tenrec.Engine.load, os.fspath(source)
        return Engine(load(where, threads, device, memory_limit))

    def save(self, path: Path) -> None:
        """Writes the engine file, whole or not at all."""
        self._raw.save(os.fspath(path))

    def to_bytes(self) -> bytes:
        """The engine file."""
        return self._raw.to_bytes()

    @property
    def inputs(self) -> list[_tenrec.TensorInfo]:
        """In the model's order."""
        return self._raw.inputs

    @property
    def outputs(self) -> list[_tenrec.TensorInfo]:
        """In the model's order."""
        return self._raw.outputs

    @property
    def profiles(self) -> list[list[_tenrec.InputRange]]:
        """For each profile what it allows for each input."""
        return self._raw.profiles

    @property
    def name(self) -> str:
        """Of the model's graph."""
        return self._raw.name

    @property
    def target(self) -> str:
        """ "cpu" or "cuda"."""
        return self._raw.target

    @property
    def device(self) -> str:
        """What the engine was built for: "cpu avx2 fma"."""
        return self._raw.device

    @property
    def notes(self) -> list[str]:
        """What the builder had to say."""
        return self._raw.notes

    def memory(self, profile: int = 0) -> _tenrec.MemoryReport:
        """What a context of this profile will need at most."""
        return self._raw.memory(profile)

    def create_context(self, *, profile: int = -1, threads: int = 0) -> "Context":
        """A context to run in.

        profile: -1: at each run the first profile that the inputs' shapes fit.
        threads: 0: the engine's.
        """
        return Context(self, self._raw.create_context(profile, threads))

    def __repr__(self) -> str:
        return f"<tenrec.Engine {self.name!r} for {self.device}>"


class Tensor:
    """An output that stayed where the engine wrote it: give it back as an input without a copy, or
    copy it with `numpy()`. Valid until its context runs again; then it may only stay an input."""

    def __init__(self, raw: _tenrec.KeptTensor):
        self._raw = raw

    @property
    def name(self) -> str:
        return self._raw.name

    @property
    def dtype(self) -> str:
        """ "f32", "i64", ..."""
        return self._raw.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._raw.dims)

    @property
    def on_device(self) -> bool:
        """In memory that only the engine's device reaches."""
        return self._raw.on_device

    def numpy(self) -> np.ndarray:
        """A copy on the host."""
        return from_value(self._raw.copy())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("a tenrec.Tensor is always copied")
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    def __repr__(self) -> str:
        return f"<tenrec.Tensor {self.name!r} {self.dtype}{list(self.shape)}>"


class Context:
    """Runs an engine; made with `Engine.create_context`."""

    def __init__(self, engine: Engine, raw: _tenrec.Context):
        self._engine = engine
        self._raw = raw
        self._inputs = {info.name: info for info in engine.inputs}
        self._outputs = {info.name: info for info in engine.outputs}

    def set_input(self, name: str, value: Any) -> None:
        """Sets an input for this and later runs.

        value: an array of the input's type (used in place if it is contiguous, so leave it alone
            until run() returns; copied if not), or a `Tensor` of an earlier run. Where the model
            says so: strings, a list for a sequence, None for an empty optional, a dict for a map
            (its floats are float32 unless they are of NumPy's type float64).
        Raises Error INVALID_INPUT for a wrong name, type or number of axes; sizes are checked by
        run().
        """
        if isinstance(value, Tensor):
            self._raw.set_kept(name, value._raw)
            return
        info = self._inputs.get(name)
        if info is not None and info.is_host:
            self._raw.set_value(name, to_value(value))
            return
        self._raw.set_input(name, *memory_of(np.asarray(value)))

    def set_input_shape(self, name: str, shape: Sequence[int]) -> None:
        """Sizes of an input whose value comes later: for `output_shapes`."""
        self._raw.set_dims(name, list(shape))

    def output_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of all outputs for the inputs that are set; -1 where only running can tell."""
        return {name: tuple(dims) for name, dims in self._raw.infer_outputs().items()}

    def run(
        self,
        inputs: Mapping[str, Any] | None = None,
        *,
        out: Mapping[str, np.ndarray] | None = None,
        keep: Iterable[str] = (),
    ) -> dict[str, Any]:
        """Runs the model and gives all outputs by name, at their true shapes.

        inputs: as for `set_input`; what is not named stays as it was set before.
        out: contiguous arrays that outputs are written to, big enough for them; the result then has
            a view of each at the output's shape.
        keep: outputs to leave where the engine writes them: the result has a `Tensor` for each, to
            be given to the next run. Others become arrays of their own, written without a copy
            where the engine's memory is the host's.

        Raises Error INVALID_INPUT for missing inputs and for shapes outside of all profiles;
        OUT_OF_MEMORY; DEVICE.
        """
        for name, value in (inputs or {}).items():
            self.set_input(name, value)
        out, keep = dict(out or {}), list(keep)
        for name in [*out, *keep]:
            self._check_movable(name)
        self._raw.run({name: self._writable(name, array) for name, array in out.items()}, keep)
        return {name: self._result(name, out, keep) for name in self._outputs}

    @property
    def profile(self) -> int:
        """The one that the last run used; -1 before."""
        return self._raw.profile

    def memory(self) -> _tenrec.MemoryReport:
        """As of now."""
        return self._raw.memory()

    def _check_movable(self, name: str) -> None:
        if name not in self._outputs:
            has = ", ".join(self._outputs)
            raise Error(ErrorCode.INVALID_INPUT, f'the model has no output "{name}"; it has {has}')
        if self._outputs[name].is_host:
            what = f'output "{name}" is no tensor of numbers: it has no memory'
            raise Error(ErrorCode.USAGE, what)

    def _writable(self, name: str, array: np.ndarray) -> np.ndarray:
        dtype, _, memory = memory_of(array)
        wanted = self._outputs[name].dtype
        if dtype != wanted or not np.shares_memory(array, memory):
            what = f'output "{name}" needs a contiguous array of {wanted}, got {array.dtype}'
            raise Error(ErrorCode.INVALID_INPUT, what)
        return memory

    def _result(self, name: str, out: dict[str, np.ndarray], keep: list[str]) -> Any:
        info = self._outputs[name]
        if info.is_host:
            return from_value(self._raw.value(name))
        if name in keep:
            return Tensor(self._raw.kept(name))
        dims = self._raw.dims(name)
        if name in out:
            return out[name].reshape(-1)[: int(np.prod(dims, dtype=np.int64))].reshape(dims)
        return array_of(info.dtype, dims, self._raw.take(name))
