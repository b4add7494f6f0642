"""Closure policies: what a breached pool must close. One file and one line here add another.

A policy is a light class of declared parameters; its compiled rule stands in ``kernels/`` under the
same name and is loaded when a market is opened.
"""

from __future__ import annotations

from stresslab.liquidation.closures.closure import Closure
from stresslab.liquidation.closures.common_share import CommonShare
from stresslab.liquidation.closures.dutch_auction import DutchAuction
from stresslab.liquidation.closures.least_common_share import LeastCommonShare
from stresslab.liquidation.closures.least_to_restore import LeastToRestore
from stresslab.liquidation.closures.rate_limited import RateLimited
from stresslab.liquidation.closures.share_per_step import SharePerStep
from stresslab.liquidation.closures.share_then_whole import ShareThenWhole
from stresslab.liquidation.closures.takeover import Takeover
from stresslab.liquidation.closures.tier_step_down import TierStepDown
from stresslab.liquidation.closures.whole import Whole

CLOSURES: dict[str, type[Closure]] = {
    "whole": Whole,
    "least_to_restore": LeastToRestore,
    "share_then_whole": ShareThenWhole,
    "tier_step_down": TierStepDown,
    "share_per_step": SharePerStep,
    "common_share": CommonShare,
    "rate_limited": RateLimited,
    "dutch_auction": DutchAuction,
    "takeover": Takeover,
    "least_common_share": LeastCommonShare,
}

__all__ = ["CLOSURES", "Closure"]
