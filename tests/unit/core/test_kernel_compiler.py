"""Parts of kernels become machine code where they are taken in, and there alone."""

from __future__ import annotations

import gc
import secrets
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from numba.core.codegen import CPUCodeLibrary

from stresslab.core.compiled import kernel


@kernel
def refuse(lots: int) -> int:
    if lots < 0:
        raise ValueError("fewer than no lots")
    return lots


@kernel
def twice(lots: int) -> int:
    return refuse(lots) + refuse(lots)


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A copy of this file, which no earlier process can have compiled."""
    name = f"kernels_{secrets.token_hex(8)}"
    shutil.copy(__file__, tmp_path / f"{name}.py")
    monkeypatch.syspath_prepend(tmp_path)
    return import_module(name)


def test_only_what_python_calls_becomes_machine_code(
    kernels: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    translated: list[str] = []
    translate = CPUCodeLibrary._finalize_final_module

    def note(library: CPUCodeLibrary) -> None:
        if library.name in ("twice", "refuse"):
            translated.append(library.name)
            assert not gc.isenabled()  # or a twelfth of the time goes into looking for garbage
        translate(library)

    monkeypatch.setattr(CPUCodeLibrary, "_finalize_final_module", note)
    assert kernels.twice(3) == 6
    assert translated == ["twice"]
    assert kernels.refuse(3) == 3
    assert translated == ["twice", "refuse"]


def test_what_a_part_raises_comes_through(kernels: Any) -> None:
    """Compiled just now, and read from disk."""
    script = f"import {kernels.__name__} as k; assert k.twice(1) == 2; k.twice(-1)"
    path = f"import sys; sys.path.append({str(Path(kernels.__file__).parent)!r}); "
    for _ in range(2):
        command = [sys.executable, "-c", path + script]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "ValueError: fewer than no lots" in told.stderr
