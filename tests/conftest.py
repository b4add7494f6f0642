"""Settings of all tests: property tests repeat the same examples and wait for compilation."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from numba import config

settings.register_profile("stresslab", deadline=None, derandomize=True, database=None)
settings.load_profile("stresslab")

if config.DISABLE_JIT:  # as for coverage: random bits wrap around on purpose
    np.seterr(over="ignore")
