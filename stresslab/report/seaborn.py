"""Seaborn, imported without scipy's statistics, which nothing here needs and take a second to load.

Seaborn falls back to its own copy of the one function it takes from there.
"""

from __future__ import annotations

import sys

_HEAVY = "scipy.stats"

_is_absent = _HEAVY not in sys.modules
if _is_absent:
    sys.modules[_HEAVY] = None  # type: ignore[assignment] # what makes an import fail
try:
    import seaborn as sns
finally:
    if _is_absent:
        del sys.modules[_HEAVY]

__all__ = ["sns"]
