"""A config whose index stands still but for one shock, of one size after another."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stresslab.contagion.theory import Venue
from stresslab.core import declarations
from stresslab.core.errors import ConfigError
from stresslab.experiment.config import Config, read_config, scenario_class
from stresslab.experiment.foresight import foresee

SHOCK = "first"  # name of the one shock of the sweep


@dataclass(frozen=True)
class Sweep:
    """What is swept: a config whose index stands still but for one shock of one size after another.

    ``assets`` are those of the config's first shock unless given; without a shock in the config,
    all perpetuals.
    """

    config: Config
    sizes: tuple[float, ...]
    replicates: int
    assets: tuple[str, ...] = ()
    scenario: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        if not self.sizes or not all(0 < size < 1 for size in self.sizes):
            raise ConfigError(f"--sizes: {self.sizes} are not all between 0 and 1")
        if self.replicates < 1:
            raise ConfigError(f"--replicates: {self.replicates} is below 1")
        object.__setattr__(self, "scenario", _with_one_shock(self.config, self.assets))

    @property
    def shock(self) -> dict[str, Any]:
        """The shock, at the size of the config."""
        shock: dict[str, Any] = self.scenario["market"]["shocks"][SHOCK]
        return shock

    @property
    def shocked(self) -> np.ndarray:
        """(n_assets,) whether the index of each asset falls."""
        return np.array([name in self.shock["assets"] for name in self.scenario["assets"]])

    def venue(self, replicate: int, over_seconds: float | None = None) -> Venue:
        """Return a replicate's market as theory sees it, by default over the shock's length."""
        built: Any = declarations.build(scenario_class(), self._built().values["scenario"])
        over = float(self.shock["over_seconds"]) if over_seconds is None else over_seconds
        return foresee(built, seed=self.config.seed, replicate=replicate, over_seconds=over)

    def study(self, sizes: Sequence[float]) -> Config:
        """Return the study that simulates these sizes."""
        path = f"scenario.market.shocks.{SHOCK}.fall"
        design = {"title": "Sweep of the shock", "replicates": self.replicates,
                  "points": {"grid": {path: sorted(sizes)}}}  # fmt: skip
        return read_config(
            {"name": f"{self.config.name}_criticality", "seed": self.config.seed,
             "scenario": self.scenario, "designs": {"sweep": design},
             "record": {"events": "none"}}
        )  # fmt: skip

    def _built(self) -> Config:
        return self.study(self.sizes[:1])


def _with_one_shock(config: Config, assets: Sequence[str]) -> dict[str, Any]:
    scenario = copy.deepcopy(config.values["scenario"])
    shocks = list(scenario["market"]["shocks"].values())
    shock = dict(shocks[0]) if shocks else _shock_of_all(scenario)
    shock["assets"] = list(assets or shock["assets"])
    scenario["market"]["shocks"] = {SHOCK: shock}
    scenario["market"]["index"] = {"kind": "constant"}
    scenario.pop("venue", None)  # its rules stand in the scenario
    return scenario


def _shock_of_all(scenario: dict[str, Any]) -> dict[str, Any]:
    """Return a shock to all perpetuals, all at once, for a config that has none."""
    names = [name for name, asset in scenario["assets"].items() if asset["kind"] == "perpetual"]
    start = 10 * float(scenario["step_seconds"])
    return {"assets": names, "fall": 0.1, "at_seconds": start, "over_seconds": 0.0}
