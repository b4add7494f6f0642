"""10 October 2025: what policies of deleveraging take, and how far a fitted market is from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stresslab.core.errors import ConfigError
from stresslab.validation.experiment import Experiment, Size
from stresslab.validation.october import policies, prediction
from stresslab.validation.october.endowments import WINNERS, drawn, given
from stresslab.validation.october.facts import Wave, waves
from stresslab.validation.october.policies import QUEUES, SHARED, Bill
from stresslab.validation.verdicts import Check, Distance, Panel, Result, Series

RELATIVE = 1e-6
_BILLS = 1e-5  # relative: as many micro-USD as winners, over the smallest need, and some
_USD = 1.0  # the published totals are held against, USD
#: Published totals of the sixteen waves, evaluated at their ends, USD.
NEEDED, PRODUCTION, OVERSHOOT = 15_079_669.61, 60_108_335.33, 45_028_665.72
SEIZED_WHOLE = 6  # of sixteen waves in which production took somebody's whole equity
VENUE = "price_ratio_times_leverage"  # the queue of Hyperliquid


class Scale(NamedTuple):
    """How much is drawn."""

    crowds: int  # of winners for each wave
    replicates: int  # of the market
    arms: int  # replicates of the market under other policies


SCALES = {Size.QUICK: Scale(2, 2, 0), Size.FULL: Scale(20, 10, 5)}


def run(size: Size, seed: int) -> Result:
    """Divide what sixteen waves needed among drawn winners, then let the fitted market fall."""
    scale = SCALES[size]
    bills = _bills(scale.crowds, seed, whole=False)
    found = prediction.told(seed, scale.replicates, scale.arms)
    return Result(
        [*_checks(bills), _happened(found.deleveraged, scale.replicates)],
        (*_queue_distances(scale.crowds, seed), *found.distances),
        (_policy_panel(bills, seed), *found.panels),
        {"waves": len(waves()), "winners drawn": WINNERS, **scale._asdict()},
    )


def control(size: Size, seed: int) -> Result:
    """The same checks where all who are asked give up whole profits, and sales move no price."""
    scale = SCALES[size]
    bills = _bills(scale.crowds, seed, whole=True)
    found = prediction.deleveraged_without_feedback(seed, scale.replicates)
    return Result([*_checks(bills), _happened(found, scale.replicates)])


def point(endowments: str) -> Mapping[str, float]:
    """Return what each policy takes from the winners of a user's own table.

    Raises
    ------
    ConfigError
        When the table cannot be used or its profits are less than what is needed.
    """
    winners = given(Path(endowments))
    have = int(winners.profit.sum()) / 1e6
    if have < NEEDED:
        raise ConfigError(f"{endowments}: profits of {have:,.0f} USD, needed {NEEDED:,.0f}")
    found: dict[str, float] = {"winners": float(winners.profit.size), "needed_usd": NEEDED}
    for policy in (*SHARED, *QUEUES):
        paid = policies.bill(policy, winners, NEEDED)
        found[f"{policy}.seized_usd"] = paid.seized
        found[f"{policy}.largest_share_of_equity"] = paid.largest_share
    for policy in QUEUES:
        paid = policies.bill(policy, winners, NEEDED, whole=True)
        found[f"{policy}.overshoot_of_whole_profits_usd"] = paid.seized - paid.needed
    return found


#: Policy -> crowd -> bills of the waves.
Bills = Mapping[str, Sequence[Sequence[Bill]]]


def _bills(crowds: int, seed: int, *, whole: bool) -> Bills:
    return {
        policy: [
            [
                policies.bill(policy, drawn(wave, seed + crowd), wave.needed,
                              whole=whole)
                for wave in waves()
            ]
            for crowd in range(crowds)
        ]
        for policy in (*SHARED, *QUEUES)
    }  # fmt: skip


def _checks(bills: Bills) -> list[Check]:
    needed = sum(wave.needed for wave in waves())
    production = sum(wave.production for wave in waves())
    return [
        *_total_checks(needed, production),
        *(
            Check(f"{policy}: seized over needed, furthest from 1",
                  max(policies.worst_gap(crowd) for crowd in bills[policy]), 0.0, RELATIVE)
            for policy in bills
        ),
        *_share_checks(bills),
    ]  # fmt: skip


def _happened(deleveraged: int, replicates: int) -> Check:
    """Ask whether sales of the fitted market leave losses that winners must pay for."""
    what = "replicates of the market in which somebody is deleveraged"
    return Check(what, float(deleveraged), float(replicates), 0.0)


def _total_checks(needed: float, production: float) -> list[Check]:
    return [
        Check("needed budget of the waves", needed, NEEDED, _USD, "USD"),
        Check("taken by production", production, PRODUCTION, _USD, "USD"),
        Check("overshoot of production", production - needed, OVERSHOOT, _USD, "USD"),
    ]


def _share_checks(bills: Bills) -> list[Check]:
    """Hold shares of equity against published ones, and against the least that is possible."""
    beyond = at_bound = 0.0
    n_at_bound = 0
    for crowd in bills["by_profit"]:
        for wave, paid in zip(waves(), crowd, strict=True):
            ratio = wave.largest_share_pro_rata / paid.largest_share - 1.0
            beyond = max(beyond, ratio)
            if _has_bare_winner(wave):
                n_at_bound += 1
                at_bound = max(at_bound, abs(ratio))
    largest = {
        policy: [[paid.largest_share for paid in crowd] for crowd in bills[policy]]
        for policy in bills
    }
    lower = sum(
        other < least * (1.0 - _BILLS)
        for policy in bills
        for others, leasts in zip(largest[policy], largest["min_max"], strict=True)
        for other, least in zip(others, leasts, strict=True)
    )
    per_crowd = n_at_bound / len(bills["by_profit"])
    return [
        Check("waves in which a winner's equity is all profit", per_crowd, 11, 0.0),
        Check("by_profit: largest share of an equity there, over the published", at_bound, 0.0,
              RELATIVE),
        Check("by_profit: published share beyond ours elsewhere", beyond, 0.0, RELATIVE),
        Check("waves in which a policy's largest share is below min_max's", float(lower), 0.0, 0.0),
    ]  # fmt: skip


def _has_bare_winner(wave: Wave) -> bool:
    bound = wave.needed / wave.capacity
    return abs(wave.largest_share_pro_rata / bound - 1.0) < RELATIVE


def _queue_distances(crowds: int, seed: int) -> list[Distance]:
    """Tell how near a queue of drawn winners comes to what production did."""
    closed = _bills(crowds, seed, whole=True)[VENUE]
    cut = _bills(crowds, seed, whole=False)[VENUE]
    over = [policies.overshoot(crowd) / 1e6 for crowd in closed]
    emptied = [float(sum(paid.largest_share > 0.999 for paid in crowd)) for crowd in cut]
    return [
        prediction.distance("queue in whole profits: overshoot", over, 0.9 * OVERSHOOT / 1e6,
                            1.1 * OVERSHOOT / 1e6, "m USD"),
        prediction.distance("queue: waves that take a whole equity", emptied, SEIZED_WHOLE - 1,
                            SEIZED_WHOLE + 1, "of 16"),
    ]  # fmt: skip


def _policy_panel(bills: Bills, seed: int) -> Panel:
    """Draw what was taken over what was needed, wave by wave."""
    order = sorted(range(len(waves())), key=lambda k: waves()[k].needed)
    needed = [waves()[k].needed for k in order]
    whole = [
        policies.bill(VENUE, drawn(wave, seed), wave.needed, whole=True).seized for wave in waves()
    ]
    taken = {
        "pro rata by profit": [paid.seized for paid in bills["by_profit"][0]],
        "queue, whole profits": whole,
        "production": [wave.production for wave in waves()],
    }
    dots = [Series(name, needed, [usd[k] for k in order]) for name, usd in taken.items()]
    line = Series("as needed", needed, needed, is_expected=True)
    return Panel("Taken for a wave", "Needed (USD)", "Taken (USD)",
                 (*dots, line), x_scale="log", y_scale="log")  # fmt: skip


EXPERIMENT = Experiment(
    name="oct10",
    title="10 October 2025, fitted on BTC and told on the rest",
    claim="On winners with the sums of sixteen waves of auto-deleveraging, every policy takes what "
    "was needed to a millionth, and pro rata by profit asks for the published shares of equities; "
    "how far a market fitted to BTC and to timing is from other assets and waves is told.",
    source="Waves: pluriholonomic/autodeleveraging-analysis (published, MIT). Facts: "
    "HyperMultiAssetedADL, HyperAnalyzeADL, oct10-black-swan-analysis (published data, our "
    "measurements). Winners are drawn from published sums and quantiles, ours.",
    falsified_by="A pro-rata budget off by more than a millionth, an equity asked for a larger "
    "share than published, waves that do not add up to the published totals.",
    run=run,
    control=control,
    control_is="everybody who is asked gives up its whole profit, and forced orders move no price",
    is_statistical=False,
    point=point,
)
