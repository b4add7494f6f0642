"""What a config says about liquidation, deficits and the controls of an experiment."""

from __future__ import annotations

from stresslab.core.declarations import declared, param
from stresslab.liquidation.adl import ADL_POLICIES
from stresslab.liquidation.adl.by_equity import ByEquity
from stresslab.liquidation.adl.profit_times_leverage import ProfitTimesLeverage
from stresslab.liquidation.bands import BANDS, PriceBand
from stresslab.liquidation.division import Queue, Sharing
from stresslab.liquidation.socialised import SOCIALISED_LOSSES


@declared
class Pause:
    """A time in which the venue liquidates nobody and settles no deficit."""

    at_seconds: float = param("Start of the pause", unit="s", ge=0)
    for_seconds: float = param("Length of the pause", unit="s", gt=0)


@declared
class LiquidationRules:
    """How breached pools are closed and who pays for what their collateral does not cover."""

    feedback: str = param(
        "What forced orders do to prices: `market` walks the book like any order; `slipped` pays "
        "the price the book asks but leaves it untouched; `no_feedback` fills against external at "
        "the mark",
        default="market",
        choices=("market", "slipped", "no_feedback"),
    )
    liquidation_target: float = param(
        "Maintenance margin over equity that a least-to-restore closure aims at",
        unit="of equity",
        default=0.9,
        gt=0,
        le=1,
    )
    rounds_per_step: int = param(
        "Most liquidation rounds in one step; later ones wait for the next step",
        unit="rounds",
        default=50,
        ge=1,
        le=10_000,
    )
    pools_per_round: int | None = param(
        "Pools that the engine serves in a round, lowest equity over maintenance first; empty is "
        "unlimited",
        unit="pools",
        default=None,
        ge=1,
    )
    execution_delay_seconds: float = param(
        "Mean of the exponential time from a pool's first breach to its first forced order; 0 is "
        "at once",
        unit="s",
        default=0.0,
        ge=0,
        le=1e6,
    )
    usd_per_step: float | None = param(
        "Throttle: forced notional that each market takes in a step, lowest equity over "
        "maintenance first; empty is unlimited",
        unit="USD",
        default=None,
        gt=0,
        le=1e12,
    )
    price_band: PriceBand | None = param(
        "Worst price of a forced order; empty is any price", default=None, kinds=BANDS
    )
    pauses: dict[str, Pause] = param(
        "Times in which nobody is liquidated, whatever breaches there are", factory=dict
    )
    insurance_fund_usd: float = param(
        "Insurance fund before the first step, of all markets that have none of their own",
        unit="USD",
        default=1_000_000.0,
        ge=0,
        le=1e12,
    )
    insurance_fund_by_asset_usd: dict[str, float] = param(
        "Insurance funds of single markets before the first step, by asset: each gets its market's "
        "penalties and pays its market's deficits only",
        unit="USD",
        factory=dict,
        ge=0,
        le=1e12,
    )
    adl: bool = param("Whether winners are deleveraged before losses are socialised", default=True)
    position_adl: Queue | Sharing = param(
        "Which winners take over lots that a bankrupt pool still has open",
        kinds=ADL_POLICIES,
        factory=ProfitTimesLeverage,
    )
    profit_haircut: Queue | Sharing = param(
        "Which winners lose profit in cash when the market has closed the bankrupt position",
        kinds=ADL_POLICIES,
        factory=ProfitTimesLeverage,
    )
    adl_severity: float = param(
        "Part of what the insurance fund leaves of a deficit that winners are deleveraged for; the "
        "rest is socialised",
        unit="of the deficit",
        symbol="θ",
        default=1.0,
        ge=0,
        le=1,
    )
    adl_on_exhausted_book: bool = param(
        "Whether a leg in breach that finds nobody in its book is handed to winners at its "
        "bankruptcy price though its pool has equity left",
        default=False,
    )
    deficit_keeps_market: bool = param(
        "Whether a deficit of a market that has been closed is first cut from that market's "
        "profits, before legs still open in other markets are handed over for it",
        default=False,
    )
    socialised_loss: Queue | Sharing = param(
        "Who pays what neither fund nor winners can",
        kinds=SOCIALISED_LOSSES,
        factory=ByEquity,
    )
