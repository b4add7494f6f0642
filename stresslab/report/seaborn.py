"""Seaborn, imported without the parts of scipy that nothing here needs and take a second to load.

Seaborn falls back to its own copy of the one function it takes from the statistics, and does
without clusters.
"""

from __future__ import annotations

import sys

_absent = [name for name in ("scipy.stats", "scipy.cluster") if name not in sys.modules]
for _name in _absent:
    sys.modules[_name] = None  # type: ignore[assignment] # what makes an import fail
try:
    import seaborn as sns
finally:
    for _name in _absent:
        del sys.modules[_name]

__all__ = ["sns"]
