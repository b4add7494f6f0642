"""How numba makes machine code of kernels: once, of what Python calls.

By itself numba optimises and translates every function as if Python called it, and again within
each function that takes it in. A part of a kernel is handed on as it is written instead, and is
optimised where it ends up. No number depends on it: strict arithmetic leaves none to choose.
"""

from __future__ import annotations

from typing import Any

from numba import _dynfunc
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import NativeLowering


class _PartCode(JITCodeLibrary):  # type: ignore[misc]
    """Code that is linked into others and never run by itself."""

    def _optimize_final_module(self) -> None:
        """Leave it to those that take the code in."""

    def _finalize_final_module(self) -> None:
        """Be done without machine code."""
        self._finalized = True


class _EntryCode(JITCodeLibrary):  # type: ignore[misc]
    """Code that Python runs."""

    def _optimize_final_module(self) -> None:
        """Optimise once; numba would twice, to find references that need no count: none is."""
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)


@register_pass(mutates_CFG=True, analysis_only=False)
class _PartLowering(NativeLowering):  # type: ignore[misc]
    """The last step of compiling a part: it is registered for its callers, and not translated."""

    _name = "stresslab_part_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = _PartCode(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags = state.flags.copy()
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        part = _without_address(lowered, state.library)
        state.targetctx.insert_user_function(part, lowered.fndesc, [state.library])
        state["cr"] = lowered._replace(cfunc=part)
        return True


def _without_address(lowered: Any, library: _PartCode) -> Any:
    """Return the object by which numba knows a compiled function; calling it is not possible."""
    described = lowered.fndesc
    held = (lowered.env, (library,))
    return _dynfunc.make_function(described.lookup_module(), described.qualname, "", 0, *held)


@register_pass(mutates_CFG=True, analysis_only=False)
class _EntryLowering(NativeLowering):  # type: ignore[misc]
    """The last step of compiling an entry."""

    _name = "stresslab_entry_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = _EntryCode(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()  # or it could not be kept on disk
        return bool(super().run_pass(state))


class _KernelCompiler(CompilerBase):  # type: ignore[misc]
    """Numba's steps with another last one."""

    lowering: type[NativeLowering]

    def define_pipelines(self) -> list[PassManager]:
        steps = DefaultPassBuilder.define_nopython_pipeline(self.state)
        last = [step for step, _ in steps.passes].index(NativeLowering)
        steps.passes[last] = (self.lowering, "kernel lowering")
        steps.finalize()
        return [steps]


class PartCompiler(_KernelCompiler):
    """Compiles what other kernels take in."""

    lowering = _PartLowering


class EntryCompiler(_KernelCompiler):
    """Compiles what Python calls."""

    lowering = _EntryLowering
