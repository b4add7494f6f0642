"""Auto-deleveraging: the worked examples, and which rules may be gamed by splitting accounts."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from stresslab.core.columns import MARKET
from stresslab.liquidation.adl import ADL_POLICIES
from stresslab.liquidation.division import Contributors
from stresslab.margin.bankruptcy import bankruptcy_price
from stresslab.margin.liquidation_price import Leg, linear
from stresslab.market.limit_order_book import OrderBook
from stresslab.validation.experiment import Experiment, Size
from stresslab.validation.five_accounts import DEFICIT, SPLIT, seized
from stresslab.validation.verdicts import Check, Panel, Result, Series
from stresslab.validation.winners import bills_of, broken_by

QUEUE, PRO_RATA = "profit_times_leverage", "by_profit"
EXACT = 1e-9
MICRO_USD = 1e-9  # in units of 1,000 USD
SEVERITY = 0.5
SEVERITIES = {Size.QUICK: (0.25, 0.5), Size.FULL: (0.1, 0.25, 0.4, 0.5, 0.6, 0.75)}
CROWDS = {Size.QUICK: 200, Size.FULL: 2000}

#: Policy -> what it takes from the three winners for half of a deficit of 15, in units.
WORKED = {QUEUE: (3.5, 4.0, 0.0), PRO_RATA: (4.8, 2.4, 0.3)}
EQUITY = (10.0, 5.0, 1.0)
PROFIT = (8.0, 4.0, 0.5)

#: Side, leverage -> bankruptcy price and liquidation price at 10 % maintenance, from an entry at 1.
POSITIONS: Sequence[tuple[str, int, Fraction, Fraction, Fraction]] = (
    ("A", 1, Fraction(1), Fraction(0), Fraction(0)),
    ("B", 1, Fraction(3, 2), Fraction(1, 3), Fraction(10, 27)),
    ("C", -1, Fraction(3, 2), Fraction(5, 3), Fraction(50, 33)),
    ("D", 1, Fraction(19, 2), Fraction(17, 19), Fraction(170, 171)),
    ("E", -1, Fraction(99, 10), Fraction(109, 99), Fraction(1090, 1089)),
)
#: Equity, leverage, and the share of a bill as printed: equity times the square of leverage.
RISK = {"A": (1.2613, 1.031, 0.164), "C": (5.6214, 0.925, 0.589), "E": (0.8397, 1.548, 0.246)}


def run(size: Size, seed: int) -> Result:
    """Simulate the five accounts, evaluate the examples, and try to game the rules."""
    return _measured(size, seed, {QUEUE: QUEUE, PRO_RATA: PRO_RATA})


def control(size: Size, seed: int) -> Result:
    """The same with the two rules swapped."""
    return _measured(size, seed, {QUEUE: PRO_RATA, PRO_RATA: QUEUE})


def _measured(size: Size, seed: int, rule: dict[str, str]) -> Result:
    taken = {name: seized(rule[name], SEVERITY, seed) for name in WORKED}
    curves = {
        name: {s: seized(rule[name], s, seed) for s in SEVERITIES[size]} for name in WORKED
    }  # fmt: skip
    checks = [
        *_worked_checks(taken),
        *_severity_checks(seed),
        *_split_checks(rule, taken, seed),
        *_order_checks(taken),
        *_scale_checks(curves),
        *_crowd_checks(rule, CROWDS[size], seed),
        *_price_checks(),
        *_risk_checks(),
        _walk_check(),
    ]
    return Result(checks, panels=_panels(taken, curves), facts={"crowds": CROWDS[size]})


# -- five accounts, simulated --------------------------------------------------------------------


def _worked_checks(taken: dict[str, tuple[Fraction, ...]]) -> list[Check]:
    return [
        Check(f"{name}: equity of winner {place + 1} after", EQUITY[place] - float(amount),
              EQUITY[place] - WORKED[name][place], MICRO_USD, "kUSD")
        for name, amounts in taken.items()
        for place, amount in enumerate(amounts)
    ]  # fmt: skip


def _severity_checks(seed: int) -> list[Check]:
    """Hold what every policy seizes in all against severity times the deficit."""
    return [
        Check(f"{name}: seized in all", float(sum(seized(name, 0.3, seed))), 0.3 * DEFICIT,
              MICRO_USD, "kUSD")
        for name in ADL_POLICIES
    ]  # fmt: skip


def _split_checks(
    rule: dict[str, str], taken: dict[str, tuple[Fraction, ...]], seed: int
) -> list[Check]:
    """Hold the bill of the second winner against that of the two accounts it may split into."""
    saved = {}
    for name in WORKED:
        _, *both, _ = seized(rule[name], SEVERITY, seed, SPLIT)
        saved[name] = float(taken[name][1] - sum(both))
    return [
        Check("pro rata: saved by splitting an account", saved[PRO_RATA], 0.0, MICRO_USD, "kUSD"),
        Check("queue: saved by splitting an account", saved[QUEUE], 3.0, MICRO_USD, "kUSD"),
    ]


def _order_checks(taken: dict[str, tuple[Fraction, ...]]) -> list[Check]:
    kept = {name: [p - t for p, t in zip(PROFIT, taken[name], strict=True)] for name in taken}
    in_order = {name: float(left == sorted(left, reverse=True)) for name, left in kept.items()}
    return [
        Check("pro rata keeps the order of profits", in_order[PRO_RATA], 1.0, 0.0),
        Check("the queue keeps the order of profits", in_order[QUEUE], 0.0, 0.0),
    ]


def _scale_checks(curves: dict[str, dict[float, tuple[Fraction, ...]]]) -> list[Check]:
    """Hold the second winner's bill at half the deficit against twice that at a quarter."""
    over = {name: float(by[0.5][1] - 2 * by[0.25][1]) for name, by in curves.items()}
    return [
        Check("pro rata: bill beyond twice that of half", over[PRO_RATA], 0.0, MICRO_USD, "kUSD"),
        Check("queue: bill beyond twice that of half", over[QUEUE], 4 - 2 * 3.75, MICRO_USD,
              "kUSD"),
    ]  # fmt: skip


# -- crowds drawn at random ----------------------------------------------------------------------


def _crowd_checks(rule: dict[str, str], crowds: int, seed: int) -> list[Check]:
    broken = {name: np.zeros(3, np.int64) for name in WORKED}
    astray = 0
    for number in range(crowds):
        rng = np.random.Generator(np.random.Philox(key=seed, counter=number))
        profit = rng.integers(1, 10**9, int(rng.integers(3, 9)))
        wallet = rng.integers(1, 10**9, profit.size)
        amount = int(profit.sum() * rng.uniform(0.05, 0.45))
        for name in WORKED:
            broken[name] += broken_by(rule[name], profit, wallet, amount, rng.uniform(0.2, 0.8))
        for policy in ADL_POLICIES:
            astray += int(bills_of(policy, profit, wallet, amount).sum() != amount)
    what = ("splitting moves a bill", "order of profits is turned", "half a deficit is not half")
    checks = [Check("random crowds, all policies: sums off", float(astray), 0.0, 0.0)]
    for place, words in enumerate(what):
        by_pro_rata, by_queue = (int(broken[name][place]) for name in (PRO_RATA, QUEUE))
        checks.append(Check(f"crowds, pro rata: {words}", float(by_pro_rata), 0.0, 0.0))
        checks.append(Check(f"crowds, queue: {words} in some", float(by_queue > 0), 1.0, 0.0))
    return checks


# -- prices, shares and the book -----------------------------------------------------------------


def _price_checks() -> list[Check]:
    checks = []
    for name, side, leverage, bankrupt, liquidated in POSITIONS:
        found = bankruptcy_price(side, Fraction(1), leverage)
        checks.append(Check(f"bankruptcy price of {name}", float(found), float(bankrupt), 0.0))
        price: Any = linear(1.0 / float(leverage), [Leg(side, 1.0, 1.0, rate=0.1)])
        what = f"liquidation price of {name} at 10 %"
        checks.append(Check(what, abs(float(price)), float(liquidated), EXACT))
    return checks


def _risk_checks() -> list[Check]:
    """Divide a bill by the risk-aware rule; shares were printed to three digits."""
    equity, leverage, _ = (np.array(column) for column in zip(*RISK.values(), strict=True))
    weight = equity * leverage**2
    money = np.rint(equity * 1e9).astype(np.int64)
    ones = np.ones(3, np.int64)
    crowd = Contributors(
        side=-ones, lots=money, value=money, cost=money, profit=money, equity=money,
        maintenance=ones, notional=np.rint(equity * leverage * 1e9).astype(np.int64), wallet=money,
        most=money, bearable=money,
    )  # fmt: skip
    shares = ADL_POLICIES["by_risk"](leverage_exponent=2).divide(10**8, crowd).most / 1e8
    checks = []
    for place, (name, (*_, printed)) in enumerate(RISK.items()):
        share, exact = float(shares[place]), float(weight[place] / weight.sum())
        checks.append(Check(f"risk-aware share of {name}", share, exact, 2e-8))
        checks.append(Check(f"the same as printed, {name}", share, printed, 1.1e-3))
    return checks


def _walk_check() -> Check:
    book = OrderBook(200, n_owners=2)
    for price, lots in ((100, 1), (110, 3), (120, 10)):
        book.submit(0, -lots, price)
    _, trades = book.submit(1, 5, kind=MARKET)
    paid = sum(price * lots for _, _, price, lots in trades)
    return Check("five lots of a walked book, average price", paid / 500, 1.1, EXACT)


def _panels(
    taken: dict[str, tuple[Fraction, ...]], curves: dict[str, dict[float, tuple[Fraction, ...]]]
) -> tuple[Panel, ...]:
    words = {QUEUE: "queue", PRO_RATA: "pro rata"}
    bills, scale = [], []
    for name, label in words.items():
        bills.append(Series(label, PROFIT, [float(t) for t in taken[name]]))
        severity = sorted(curves[name])
        bill = [float(curves[name][s][0]) for s in severity]
        scale.append(Series(label, severity, bill))
    grid = [0.0, 4 / 15, 12 / 15]  # the second winner has given all, then the first
    scale.append(Series("queue", grid, [0.0, 0.0, 8.0], is_expected=True))
    scale.append(Series("pro rata", [0.0, 12.5 / 15], [0.0, 8.0], is_expected=True))
    bills.append(Series("pro rata", [0.0, 8.0], [0.0, 4.8], is_expected=True))
    seized_usd = "Seized (thousand USD)"
    return (
        Panel("Half of a deficit of 15", "Profit of a winner (thousand USD)", seized_usd, bills),
        Panel("The first winner's bill", "Severity (of the deficit)", seized_usd, scale),
    )


EXPERIMENT = Experiment(
    name="adl-rules",
    title="Who is deleveraged, and who may game it",
    claim="The queue seizes 3.5, 4 and 0 of three winners where pro rata takes six tenths of every "
    "profit; pro rata is indifferent to splitting accounts, keeps the order of profits and doubles "
    "with the deficit, the queue does none of it, and all seize severity times the deficit.",
    source="Chitra 2025, arXiv 2512.01112: the five accounts, the prices, the shares, the three "
    "properties (published). The market that brings the accounts about, the account split in two "
    "and the random crowds: ours.",
    falsified_by="A micro-USD too much or too little in an account, a price off by 1e-9, a crowd "
    "in which pro rata can be gamed.",
    run=run,
    control=control,
    control_is="the queue where pro rata is expected, and pro rata where the queue is",
    is_statistical=False,
)
