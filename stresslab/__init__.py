"""Liquidation cascades when leveraged traders share collateral or silo it.

>>> import stresslab
>>> run = stresslab.run("configs/demo.yaml")  # doctest: +SKIP
>>> run.outcomes  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stresslab.api import Run as Run
    from stresslab.api import check_margin as check_margin
    from stresslab.api import open_run as open_run
    from stresslab.api import run as run

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "check_margin", "open_run", "run"]


def __getattr__(name: str) -> Any:
    """Load the Python interface when it is first asked for: the import itself stays light."""
    if name not in __all__:
        raise AttributeError(f"module 'stresslab' has no attribute {name!r}")
    return getattr(importlib.import_module("stresslab.api"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
