"""How kernels are compiled: each once, whoever calls it, and with little around it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numba import config, types
from numba.core.registry import CPUDispatcher

from stresslab.core.collecting import uncollected
from stresslab.core.compile_cache import choose_cache_folder
from stresslab.core.compile_turns import CompiledElsewhere, turn
from stresslab.core.kernel_compiler import EntryCompiler, PartCompiler

choose_cache_folder(Path(__file__).parents[1])

#: A kernel reads and writes arrays that its caller owns and makes none, so numba need not count
#: references to them; in a loop over orders, counting costs more than matching an order does.
_OPTIONS = {"_nrt": False, "no_cfunc_wrapper": True}


_ENTRY = {"nopython": True, **_OPTIONS}
_PART = {"no_cpython_wrapper": True, **_ENTRY}


_interpreting: list[bool] = []


@contextlib.contextmanager
def interpreted() -> Iterator[None]:
    """Run kernels as plain Python inside the block: for what is over before it is compiled."""
    _interpreting.append(True)
    try:
        with np.errstate(all="ignore"):  # random bits wrap around on purpose
            yield
    finally:
        _interpreting.pop()


class _Entry(CPUDispatcher):  # type: ignore[misc]
    """The door from Python into a kernel, kept on disk, compiled by one process at a time."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function, targetoptions=_ENTRY, pipeline_class=EntryCompiler)
        self.enable_caching()

    def compile(self, signature: Any) -> Any:
        with turn(self.py_func, self.stats.cache_path), uncollected():
            return super().compile(signature)


class _Kernel(CPUDispatcher):  # type: ignore[misc]
    """A function that other kernels take in, and that has an entry from Python if one is used.

    The entry, unpacking tuples of arrays, takes most of the time of compiling a small function;
    and numba by itself compiles a function anew for every number that a caller writes out.
    """

    def __init__(self, function: Callable[..., Any], merges: bool) -> None:
        options = {**_PART, "forceinline": merges}
        super().__init__(function, targetoptions=options, pipeline_class=PartCompiler)
        self._entry = _Entry(function)

    def __call__(self, *arguments: Any) -> Any:
        if _interpreting:
            return self.py_func(*arguments)
        try:
            return self._entry(*arguments)
        except CompiledElsewhere:
            return self._interpret(arguments)

    def _interpret(self, arguments: tuple[Any, ...]) -> Any:
        with interpreted():  # the kernels that it calls need no entry
            return self.py_func(*arguments)

    @property
    def is_compiled(self) -> bool:
        """Whether this process can call the kernel without compiling or reading it first."""
        return bool(self._entry.overloads)

    @property
    def stats(self) -> Any:
        """How often the entry came from disk."""
        return self._entry.stats

    def get_call_template(self, arguments: Any, names: Any) -> Any:
        general = [types.unliteral(argument) for argument in arguments]
        return super().get_call_template(general, names)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function of numbers and named tuples of arrays that makes no array itself."""
    return function if config.DISABLE_JIT else _Kernel(function, merges=False)


def merged(function: Callable[..., Any]) -> Any:
    """Compile a kernel into each of its callers: for what is called once an order or more.

    Handing over named tuples takes 100 ns, since every word of every array is copied.
    """
    return function if config.DISABLE_JIT else _Kernel(function, merges=True)
