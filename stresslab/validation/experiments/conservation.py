"""Nothing is lost: money and lots add up after every stage, whoever comes first or is split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from stresslab.results.frames import Tables
from stresslab.validation.audit import HOUSE, MICRO, Sheet, balance_sheet, fund_gap, payer_gap
from stresslab.validation.experiment import Experiment, Size
from stresslab.validation.simulated import event_log
from stresslab.validation.verdicts import Check, Panel, Result, Series

FUND_USD = 2000.0
SECONDS = {Size.QUICK: 40.0, Size.FULL: 120.0}
CROWDS = {Size.QUICK: 1, Size.FULL: 6}  # times the small crowd
PERPETUALS = ("BTC", "ETH")
COIN = 2  # the spot asset
BRACKETS = [
    {"floor_usd": 0.0, "maintenance_rate": 0.025, "max_leverage": 20.0},
    {"floor_usd": 5000.0, "maintenance_rate": 0.05, "max_leverage": 10.0},
]
PRO_RATA, QUEUE = {"kind": "by_profit"}, {"kind": "profit_times_leverage"}


def lively(size: Size) -> dict[str, Any]:
    """Return a market of two perpetuals and spot collateral in which every mechanism acts."""
    crowd = CROWDS[size]
    turns = {"seconds_between_turns": 2.0}

    def group(kind: str, count: int, wealth: float, leverage: float, **more: Any) -> dict[str, Any]:
        return {"strategy": {"kind": kind}, "count": count * crowd, **turns, **more,
                "wealth": {"kind": "lognormal", "median_usd": wealth, "sigma": 0.8},
                "leverage": {"median": leverage, "sigma": 0.3}}  # fmt: skip

    sided = {"kind": "directional", "number_weights": [1.0, 1.0], "share_long": 0.8}
    mode: dict[str, Any] = {"closure": {"kind": "least_to_restore"}, "penalty_rate": 0.01}
    return {
        "step_seconds": 1.0,
        "duration_seconds": SECONDS[size],
        "record_balances": True,
        "assets": {
            **{name: {"kind": "perpetual", "initial_price_usd": 100.0, "tick_size_usd": 0.01,
                      "lot_size": 0.1} for name in PERPETUALS},
            "COIN": {"kind": "spot", "initial_price_usd": 20.0, "tick_size_usd": 0.01,
                     "lot_size": 1.0},
        },
        "market": {
            "book": {"kind": "limit_order_book"},
            "index": {"kind": "brownian", "daily_volatility": 0.5, "correlation": 0.5},
            "shocks": {"fall": {"assets": ["BTC", "COIN"], "fall": 0.4, "at_seconds": 10.0,
                                "over_seconds": 15.0}},
            "mark": {"rule": "blend", "index_weight": 0.5},
            "fees": {"maker_rate": -0.0001, "taker_rate": 0.0005},
            "funding": {"interval_seconds": 5.0},
        },
        "margin": {
            "brackets": dict.fromkeys(PERPETUALS, BRACKETS),
            "collateral": {"COIN": {"tiers": [{"floor_usd": 0.0, "haircut": 0.1},
                                              {"floor_usd": 1000.0, "haircut": 0.3}]}},
            "isolated": mode, "cross": mode,
        },
        "margin_mode": {"kind": "fixed_share", "cross_share": 0.6},
        "liquidation": {"insurance_fund_usd": FUND_USD},
        "traders": {
            "makers": group("market_maker", 6, 10_000.0, 4.0),
            "noise": group("noise", 20, 2000.0, 2.0),
            "speculators": group("leveraged_speculator", 60, 1000.0, 9.0, holdings=sided,
                                 collateral={"COIN": 0.3}),
            "house": group("passive", 2, 50_000.0, 5.0, is_counterparty=True),
        },
    }  # fmt: skip


def run(size: Size, seed: int) -> Result:
    """Audit a lively market stage by stage; then reorder, split and rescale a small one."""
    tables = event_log(lively(size), seed)
    return _measured(tables, seed, PRO_RATA)


def control(size: Size, seed: int) -> Result:
    """One micro-USD is missing in one row, and a queue takes the place of pro-rata shares."""
    tables = event_log(lively(size), seed)
    tables["balances"]["cash_micro_usd"][tables["balances"]["step"].size // 2] -= 1
    return _measured(tables, seed, QUEUE)


def _measured(tables: Tables, seed: int, policy: Mapping[str, Any]) -> Result:
    sheet = balance_sheet(tables, FUND_USD)
    perpetuals = [place for place, kind in enumerate(tables["assets"]["kind"])
                  if kind == "perpetual"]  # fmt: skip
    spot = np.delete(sheet.net_lots, perpetuals, axis=1)
    acted = _acted(tables, sheet)
    checks = [
        Check("mechanisms that acted", float(sum(map(bool, acted.values()))), len(acted), 0.0),
        _exact("money beyond the initial collateral", sheet.surplus),
        _exact("longs less shorts of each perpetual", sheet.net_lots[:, perpetuals], "lots"),
        _exact("change of the spot held by all", spot - spot[0], "lots"),
        _exact("insurance fund against penalties and payments", np.array(fund_gap(tables))),
        _exact("deficits against what was seized for them", np.array(payer_gap(tables))),
        *_invariances(seed, policy),
    ]
    facts = {"stages": int(sheet.step.size), "accounts": int(tables["accounts"]["account"].size),
             **acted}  # fmt: skip
    return Result(checks, panels=(_panel(sheet),), facts=facts)


def _exact(what: str, off: np.ndarray, unit: str = "micro-USD") -> Check:
    return Check(f"{what}, largest", float(np.abs(off).max(initial=0)), 0.0, 0.0, unit)


def _acted(tables: Tables, sheet: Sheet) -> dict[str, int]:
    """Return how often each mechanism acted that could lose something."""
    forced, deficits = tables["forced_orders"], tables["waterfall"]
    held = dict(zip(*_by_leg(tables["breach_legs"], "position_lots"), strict=True))
    partial = [abs(lots) < abs(held.get(leg, 0))
               for leg, lots in zip(*_by_leg(forced, "lots"), strict=True)]  # fmt: skip
    acts = {
        "liquidations": tables["liquidations"]["step"],
        "partial forced orders": np.array(partial),
        "accounts with funding": tables["accounts"]["funding_micro_usd"],
        "deficits": deficits["deficit_micro_usd"],
        "deficits paid by the fund": deficits["fund_micro_usd"],
        "positions deleveraged": tables["adl"]["lots"],
        "profits cut": tables["adl"]["lots"] == 0,
        "stages with something unsettled": sheet.unsettled,
        "forced sales of collateral": forced["asset"] == COIN,
    }
    return {name: int(np.count_nonzero(column)) for name, column in acts.items()}


def _by_leg(rows: Mapping[str, np.ndarray], column: str) -> tuple[list[tuple[int, int]], list[int]]:
    legs = zip(rows["liquidation"].tolist(), rows["asset"].tolist(), strict=True)
    return list(legs), rows[column].tolist()


# -- the same market told in another way --------------------------------------------------------

#: Longs and shorts of BTC as (wealth in USD, lots), at 100 USD a lot; the first are wiped out.
LONGS = ((120.0, 10), (90.0, 8), (300.0, 20), (77.0, 7), (800.0, 13))
SHORTS = ((700.0, -21), (500.0, -11), (900.0, -26))


def small(
    accounts: Mapping[str, tuple[float, int]], policy: Mapping[str, Any], scale: float = 1.0
) -> dict[str, Any]:
    """Return a fall by a quarter among written-out people; a lot is ``1 / scale`` coins."""
    people = [{"wealth_usd": wealth, "positions": {"BTC": lots}}
              for wealth, lots in accounts.values()]  # fmt: skip
    mode = {"closure": {"kind": "whole"}, "penalty_rate": 0.0}
    return {
        "step_seconds": 1.0,
        "duration_seconds": 6.0,
        "assets": {"BTC": {"kind": "perpetual", "initial_price_usd": 100.0 * scale,
                           "tick_size_usd": 0.01 * scale, "lot_size": 1.0 / scale}},
        "market": {
            "book": {"kind": "impact", "law": {"kind": "linear", "depth_usd": 1e6}},
            "shocks": {"fall": {"assets": ["BTC"], "fall": 0.25, "at_seconds": 2.0}},
            "mark": {"rule": "mid"},
            "fees": {"maker_rate": 0.0, "taker_rate": 0.0005},
        },
        "margin": {"brackets": {"BTC": [{"floor_usd": 0.0, "maintenance_rate": 0.01,
                                         "max_leverage": 20.0}]},
                   "isolated": mode, "cross": mode},
        "liquidation": {"insurance_fund_usd": 0.0, "profit_haircut": policy},
        "traders": {"all": {"strategy": {"kind": "passive"}, "accounts": people,
                            "margin_mode": {"kind": "fixed_share", "cross_share": 1.0}}},
    }  # fmt: skip


def _invariances(seed: int, policy: Mapping[str, Any]) -> list[Check]:
    """Compare final equities, person by person, with those of the market told otherwise.

    Every division among people books its remainder, one micro-USD at most to each of them.
    """
    people = {f"{side}{place}": account for side, group in (("long", LONGS), ("short", SHORTS))
              for place, account in enumerate(group)}  # fmt: skip
    plain, adl = _final(people, seed, policy)
    turned, _ = _final(dict(reversed(people.items())), seed, policy)
    scaled, _ = _final(people, seed, policy, scale=10.0)
    wealth, lots = people["short1"]
    parts = {"short1": (0.8 * wealth, lots + 4), "rest": (0.2 * wealth, -4)}
    split, _ = _final({**people, **parts}, seed, policy)
    split["short1"] += split.pop("rest")
    divisions = 2.0 * adl
    return [
        Check("somebody was deleveraged in the small market", float(adl > 0), 1.0, 0.0),
        _same("in reverse order", plain, turned, divisions),
        _same("with one winner split in two", plain, split, divisions),
        _same("with prices ten times as high", plain, scaled, 0.0),
    ]


def _final(
    people: Mapping[str, tuple[float, int]], seed: int, policy: Mapping[str, Any],
    scale: float = 1.0,
) -> tuple[dict[str, int], int]:  # fmt: skip
    """Return the final equity of everybody, and how many deficits winners paid for."""
    tables = event_log(small(people, policy, scale), seed)
    equities = tables["accounts"]["final_equity_micro_usd"].tolist()
    return dict(zip(people, equities, strict=True)), int(
        np.count_nonzero(tables["waterfall"]["adl_micro_usd"])
    )


def _same(told: str, plain: Mapping[str, int], other: Mapping[str, int], tolerance: float) -> Check:
    off = max(abs(plain[name] - other[name]) for name in plain)
    return Check(f"final equities {told}, largest difference", float(off), 0.0, tolerance,
                 "micro-USD")  # fmt: skip


def _panel(sheet: Sheet) -> Panel:
    """Return who has what at each step's marks, before anything is settled."""
    first = np.append(True, sheet.step[1:] != sheet.step[:-1])
    shown = np.flatnonzero(first)[:: max(1, int(first.sum()) // 40)]
    accounts = sheet.accounts - sheet.revaluation
    parts = {"accounts, less gain of spot": accounts, "unsettled": sheet.unsettled}
    parts |= {name.replace("_", " "): sheet.house[name] for name in HOUSE[:2]}
    steps = sheet.step[shown].tolist()
    series = [Series(name, steps, ((values - values[0])[shown] / MICRO).tolist())
              for name, values in parts.items()]  # fmt: skip
    total = Series("sum of all", steps, (sheet.surplus[shown] / MICRO).tolist(), is_expected=True)
    return Panel("Who has what", "Step", "Change since the start (USD)", (*series, total))


EXPERIMENT = Experiment(
    name="conservation",
    title="Nothing is lost: money and lots add up after every stage",
    claim="Accounts, insurance fund, fees, external and what is unsettled add up to the initial "
    "collateral, longs equal shorts, to the unit and after every stage; neither the order of "
    "people, nor a split account, nor the unit of prices makes a difference.",
    source="Double entry; ours. Read from the event log by an audit that knows nothing of the "
    "ledger.",
    falsified_by="One micro-USD or one lot too many or too few after any stage; an equity that "
    "changes by more than what divisions round.",
    run=run,
    control=control,
    control_is="a row of the balances one micro-USD short, and a queue instead of pro-rata shares",
)
