"""What tests of auto-deleveraging share: all policies, and who paid a deficit."""

from __future__ import annotations

import pytest

from stresslab.liquidation.adl import ADL_POLICIES

every_policy = pytest.mark.parametrize("policy", sorted(ADL_POLICIES))
PAID = ("deficit_micro_usd", "fund_micro_usd", "adl_micro_usd", "socialised_micro_usd")
