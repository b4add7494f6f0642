"""Fire sales of 48 European banks: a peer's published grid, run by run, on an integer ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stresslab.core.errors import ConfigError
from stresslab.validation.banks import Row, banks, published_runs
from stresslab.validation.experiment import Experiment, Size
from stresslab.validation.fire_sale_market import Outcome, Setting, outcome
from stresslab.validation.rounding_bound import Bound, rounding_bound
from stresslab.validation.verdicts import Check, Panel, Result, Series

LARGEST_BOUND = 1e-6
_PRINTED = 1e-12  # digits of the published table
#: Every which row of the grid; an odd number meets both buffers.
_STRIDE = {Size.QUICK: 9, Size.FULL: 1}
_POLICIES = {0.04: "selling below 4 %", 1.0: "always selling"}


class _Compared(NamedTuple):
    row: Row
    measured: Outcome
    bound: Bound


def run(size: Size, seed: int) -> Result:
    """Run rows of the published grid, and one of them with the banks in other orders."""
    return _measured(size, seed, feedback=1.0)


def control(size: Size, seed: int) -> Result:
    """The same without feedback: sales move no price."""
    return _measured(size, seed, feedback=0.0)


def point(
    shock: float = 0.2, impact: float = 0.01, buffer: float = 0.04, steps: int = 6
) -> Mapping[str, float]:
    """Return what one setting of a user's own comes to, with the bound on the share sold.

    Raises
    ------
    ConfigError
        When a setting has no meaning.
    """
    for name, share in (("shock", shock), ("impact", impact)):
        if not 0 <= share < 1:
            raise ConfigError(f"--{name}: {share:g} is outside [0, 1) of the price")
    if not 0 < buffer <= 1:
        raise ConfigError(f"--buffer: {buffer:g} is outside (0, 1] of assets")
    if steps != int(steps) or not 1 <= steps <= 1000:
        raise ConfigError(f"--steps: {steps:g} is outside [1, 1000], whole steps")
    setting = Setting(shock, impact, buffer, int(steps))
    found = outcome(setting, banks(), 0)
    return {**setting._asdict(), "defaults": found.defaults, "extent": found.extent,
            "sold_fraction": found.sold,
            "sold_fraction_bound": rounding_bound(setting, banks()).error}  # fmt: skip


def _measured(size: Size, seed: int, *, feedback: float) -> Result:
    compared = [
        _Compared(
            row,
            outcome(Setting(row.shock, feedback * row.impact, row.buffer), banks(), seed),
            rounding_bound(Setting(row.shock, row.impact, row.buffer), banks()),
        )
        for row in published_runs()[:: _STRIDE[size]]
    ]
    checks = [*_row_checks(compared), *_order_checks(seed)]
    facts = {"runs": len(compared), "banks": len(banks())}
    return Result(checks, panels=_panels(compared), facts=facts)


def _row_checks(compared: Sequence[_Compared]) -> list[Check]:
    n = len(compared)
    as_printed = sum(abs(c.measured.extent - c.row.extent) < _PRINTED for c in compared)
    errors = [abs(c.measured.sold - c.row.sold) for c in compared]
    in_bounds = max(
        error / (c.bound.error + _PRINTED) for error, c in zip(errors, compared, strict=True)
    )
    nearest = min(c.bound.nearest for c in compared)
    return [
        Check("runs with the published extent", as_printed, n, 0.0, f"of {n}"),
        Check("largest error of the share sold", max(errors), 0.0, LARGEST_BOUND),
        Check("the same, in bounds of its run", in_bounds, 0.0, 1.0),
        Check("largest bound of a run", max(c.bound.error for c in compared), 0.0, LARGEST_BOUND),
        Check("error of an equity ratio, in distances to its threshold", 1 / nearest, 0.0, 1.0),
    ]


def _order_checks(seed: int) -> list[Check]:
    """Run one setting with the banks listed in other orders: not one lot may differ."""
    setting, listed = Setting(0.15, 0.01, 1.0), list(banks())
    sold = outcome(setting, listed, seed).sold
    turned = {"reversed": listed[::-1], "by size": sorted(listed, key=lambda b: b.assets)}
    return [
        Check(f"share sold, banks {how}", outcome(setting, order, seed).sold, sold, 0.0)
        for how, order in turned.items()
    ]


def _panels(compared: Sequence[_Compared]) -> tuple[Panel, ...]:
    of_impact = [c for c in compared if c.row.shock == 0.2]
    of_shock = {
        name: [c for c in compared if c.row.shock != 0.2 and c.row.buffer == buffer]
        for buffer, name in _POLICIES.items()
    }
    shock = "Fall of government bonds (%)"
    return (
        Panel("Shock 20 %", "Impact of selling 5 % (%)", "Share of 48 banks or of bonds", (
            *_pair("in default", of_impact, "impact", "extent"),
            *_pair("sold", of_impact, "impact", "sold"))),
        Panel("Impact 1 %: defaults", shock, "Share of 48 banks in default", tuple(
            s for name, rows in of_shock.items() for s in _pair(name, rows, "shock", "extent"))),
        Panel("Impact 1 %: sales", shock, "Share of bonds sold", tuple(
            s for name, rows in of_shock.items() for s in _pair(name, rows, "shock", "sold"))),
    )  # fmt: skip


def _pair(name: str, rows: Sequence[_Compared], x: str, y: str) -> tuple[Series, Series]:
    """Return what was measured and what was published over one axis, in per cent."""
    grid = [100 * getattr(c.row, x) for c in rows]
    return (
        Series(name, grid, [getattr(c.measured, y) for c in rows]),
        Series(name, grid, [getattr(c.row, y) for c in rows], is_expected=True),
    )


EXPERIMENT = Experiment(
    name="firesale-eba",
    title="Fire sales of 48 European banks",
    claim="Banks that bring their leverage back by selling bonds into an exponential impact "
    "default and sell as in the published runs: counts exactly, the share sold to the rounding "
    "of the ledger, in any order of banks.",
    source="Figures of the EBA stress test 2018 and 63 runs of ox-inet-resilience/"
    "firesale_stresstest (published program, Apache-2.0). The market of traders and the bound of "
    "roundings: ours.",
    falsified_by="One default more or less, a share sold beyond its run's bound of roundings, or "
    "one lot that depends on the order of banks.",
    run=run,
    control=control,
    control_is="sales that move no price",
    is_statistical=False,
    point=point,
)
