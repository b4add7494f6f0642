"""The market of leveraged value funds, written from its specification alone, run many times.

``python tests/statistics/leverage_study.py [RUNS]`` prints, for each rule of which price clears and
each leverage limit, mean and deviation of what the experiment ``leverage-tails`` measures over runs
of 50,000 steps, and then the Hill exponents at a limit of 3 by how falls are counted. It shares no
line with the engine. 16 runs take half an hour.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from numba import njit

from stresslab.validation.experiments.leverage_tails import TAILS, VALUE, hill, statistics

SUPPLY, CAPITAL, AWAY = 1000.0, 2.0, 100
KEPT, NOISE = 0.99, 0.035
SENSITIVITY, BENCHMARK, WEIGHT = 0.15, 0.005, 0.1
AGGRESSIONS = np.arange(5.0, 51.0, 5.0)
HIGHEST, LOWEST, NEAREST = range(3)
RULES = ("highest", "lowest", "nearest to the last")
STEPS, SETTLED = 50_000, 3_500


@njit
def excess(price, spent, limit, cash, shares):
    """Return the shares wanted beyond those there are, times the price."""
    wanted = spent - SUPPLY * price
    for fund in range(cash.size):
        wealth = cash[fund] + shares[fund] * price
        if wealth > 0.0:
            wanted += min(AGGRESSIONS[fund] * max(0.0, 1.0 - price), limit) * wealth
    return wanted


@njit
def edges_below_value(limit, cash, shares):
    """Return where a limit binds or a fund's wealth is zero, from 1 down to 0."""
    edges = np.ones(2 * cash.size + 2)
    edges[-1] = 0.0
    for fund in range(cash.size):
        edges[fund] = max(0.0, 1.0 - limit / AGGRESSIONS[fund])
        if shares[fund] > 0.0:
            edges[cash.size + fund] = min(1.0, max(0.0, -cash[fund] / shares[fund]))
    return np.sort(edges)[::-1]


@njit
def clearing_price(spent, limit, cash, shares, last, rule):
    """Solve the quadratic between every two edges; return the root that the rule asks for."""
    if spent >= SUPPLY:
        return spent / SUPPLY
    edges = edges_below_value(limit, cash, shares)
    found = -1.0
    for place in range(edges.size - 1):
        high, low = edges[place], edges[place + 1]
        if high <= low:
            continue
        middle = 0.5 * (high + low)
        constant, line, square = spent, -SUPPLY, 0.0
        for fund in range(cash.size):
            if cash[fund] + shares[fund] * middle <= 0.0:
                continue
            beta = AGGRESSIONS[fund]
            if beta * (1.0 - middle) < limit:
                constant += beta * cash[fund]
                line += beta * (shares[fund] - cash[fund])
                square -= beta * shares[fund]
            else:
                constant += limit * cash[fund]
                line += limit * shares[fund]
        under = line * line - 4.0 * square * constant
        if under < 0.0:
            continue
        bent = -0.5 * (line + np.copysign(np.sqrt(under), line))
        one = constant / bent if bent != 0.0 else -1.0
        other = bent / square if square != 0.0 else -1.0
        for root in (max(one, other), min(one, other)):
            if not low - 1e-13 <= root <= high + 1e-13:
                continue
            if rule == HIGHEST:
                return root
            if rule == LOWEST or found < 0.0 or abs(root - last) < abs(found - last):
                found = root
    return found


@njit
def run(seed, limit, steps, rule):
    """Return the price of every step and how many funds closed."""
    np.random.seed(seed)  # noqa: NPY002 - what numba compiles
    n = AGGRESSIONS.size
    wealth, shares = np.full(n, CAPITAL), np.zeros(n)
    performance, away = np.full(n, BENCHMARK), np.zeros(n, np.int64)
    prices, last, log_spent, closed = np.empty(steps), 1.0, 0.0, 0
    for step in range(steps):
        log_spent = KEPT * log_spent + NOISE * np.random.normal()  # noqa: NPY002
        cash = np.where(away > 0, 0.0, wealth - shares * last)
        spent = SUPPLY * np.exp(log_spent)
        price = clearing_price(spent, limit, cash, shares, last, rule)
        for fund in range(n):
            if away[fund] > 0:
                away[fund] -= 1
                if away[fund] == 0:
                    wealth[fund], performance[fund] = CAPITAL, BENCHMARK
                continue
            gain = shares[fund] * (price - last)
            gained = gain / wealth[fund]
            performance[fund] = (1.0 - WEIGHT) * performance[fund] + WEIGHT * gained
            own = max(wealth[fund] + gain, 0.0)
            shares[fund] = min(AGGRESSIONS[fund] * max(0.0, 1.0 - price), limit) * own / price
            flow = max(-1.0, SENSITIVITY * (performance[fund] - BENCHMARK)) * own
            wealth[fund] += gain + flow
            if wealth[fund] < 0.1 * CAPITAL:
                away[fund], shares[fund], closed = AWAY, 0.0, closed + 1
        prices[step] = last = price
    return prices, closed


def hills_by_reading(prices: np.ndarray) -> dict[str, list[float]]:
    """Return Hill exponents at 10, 5 and 1 % by which falls count, and as a share of what."""
    returns = np.diff(np.log(prices))
    is_fall, begins, ends = returns < 0, prices[:-1] < 1.0, prices[1:] < 1.0
    told = {}
    for name, where in (("all", begins | True), ("begin below", begins), ("end below", ends)):
        falls = -returns[where & is_fall]
        told[name] = [hill(falls, share) for share in TAILS]
        beyond = where.sum() / falls.size
        told[f"{name}, share of all returns"] = [hill(falls, share * beyond) for share in TAILS]
    return told


def measured(runs: int, rule: int, limit: float) -> Iterator[dict[str, float]]:
    for seed in range(1000, 1000 + runs):
        prices, closed = run(seed, limit, SETTLED + STEPS, rule)
        found = statistics(VALUE * prices[np.newaxis, SETTLED:])
        yield {**found, "defaults in 1e4 steps": closed * 1e4 / prices.size}


def main(runs: int) -> None:
    for rule, name in enumerate(RULES):
        for limit in (1.0, 3.0, 5.0, 10.0, 15.0):
            rows = list(measured(runs, rule, limit))
            for what in rows[0]:
                values = np.array([row[what] for row in rows])
                spread = values.std(ddof=1)
                print(f"{name:20} {limit:4g} {what:22} {values.mean():9.4f} ± {spread:.4f}")
    readings = [hills_by_reading(run(seed, 3.0, STEPS, LOWEST)[0]) for seed in range(runs)]
    for name in readings[0]:
        print(f"{name:34}", np.mean([told[name] for told in readings], axis=0).round(2))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 16)
