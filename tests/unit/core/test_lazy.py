"""What checks a config stays light: no compiler, no array library, no model."""

from __future__ import annotations

import subprocess
import sys

import pytest

from stresslab.core.lazy import lazy_module

HEAVY = {"matplotlib", "mesa", "networkx", "numba", "numpy", "pandas", "polars", "scipy"}


def _loaded_by(statement: str) -> set[str]:
    """Return the modules that a statement executes; a lazy one that still waits is not."""
    waits = "type(module).__name__ == '_LazyModule'"
    kept = f"[name for name, module in list(sys.modules.items()) if not {waits}]"
    code = f"import sys; {statement}; print(*{kept})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module", ["stresslab", "stresslab.cli", "stresslab.scenario", "stresslab.experiment.config"]
)
def test_import_is_light(module: str) -> None:
    loaded = _loaded_by(f"import {module}")

    assert module in loaded
    assert not loaded & HEAVY


UNUSED = {"scipy.cluster", "scipy.optimize", "scipy.stats"}


@pytest.mark.parametrize(
    ("module", "unused"),
    [
        ("stresslab.experiment.simulation", UNUSED),
        ("stresslab.report.rendering", UNUSED | {"matplotlib", "numba", "pandas", "seaborn"}),
        ("stresslab.report.artist", UNUSED | {"mesa", "numba"}),
    ],
)
def test_worker_and_report_load_what_they_use(module: str, unused: set[str]) -> None:
    """A second each, in every process of the first run."""
    loaded = _loaded_by(f"import {module}")

    assert module in loaded
    assert not loaded & unused


def test_lazy_module_is_loaded_by_its_first_use() -> None:
    code = (
        "from stresslab.core.lazy import lazy_module; p = lazy_module('stresslab.core.portable');"
        "before = 'numba' in sys.modules; p.log(1.0); assert not before"
    )

    assert "numba" in _loaded_by(code)


def test_lazy_module_is_the_same_module() -> None:
    import stresslab.core.portable

    assert lazy_module("stresslab.core.portable") is stresslab.core.portable


def test_unknown_module_is_refused_at_once() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        lazy_module("stresslab.no_such_module")
