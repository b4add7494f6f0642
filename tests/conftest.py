"""Settings of all tests: property tests repeat the same examples and wait for compilation."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("stresslab", deadline=None, derandomize=True, database=None)
settings.load_profile("stresslab")
