"""Exchanges the rules of a running model, from a step on, for those of another scenario.

A rule is whatever two freshly opened models differ in, one of each scenario: a declared object or
what was worked out of it, such as a table of rates. It is exchanged where the running model still
has what it was opened with. So nothing has to say of itself that it is a rule, and what a run has
remembered is never overwritten. Whatever would have made another past, other people, other prices
of the outside world or another balance of a fund, is refused.
"""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from stresslab.core.declarations import is_declared
from stresslab.core.errors import ConfigError
from stresslab.model.stress import StressModel
from stresslab.scenario import Scenario
from stresslab.traders.agents import release

_PLAIN = (bool, int, float, str, bytes, types.NoneType, np.generic)
#: What must be the same in both openings: people and their money, prices and books. Of the tables
#: of margin these alone are worked into what people hold.
_PAST = frozenset({"accounts", "house", "journal", "index", "oracle", "floor", "board", "columns"})
#: What is written, drawn or kept of what has happened.
_LEFT_ALONE = frozenset(
    {"log", "_log", "streams", "_streams", "_judged_tables", "agents", "_agents"}
)


class ChangingModel(StressModel):
    """A model that goes on by other rules from ``scenario.counterfactual.from_step`` on.

    Parameters
    ----------
    scenario, later : the rules before and from that step on
    """

    def __init__(self, scenario: Scenario, later: Scenario, *, seed: int, replicate: int) -> None:
        super().__init__(scenario, seed=seed, replicate=replicate)
        self._before, self._later, self._address = scenario, later, (seed, replicate)

    def open_step(self) -> None:
        """Take up the other rules if their step has come."""
        if self.recorded_step == self._before.counterfactual.from_step:
            seed, replicate = self._address
            was, new = (
                StressModel(rules, seed=seed, replicate=replicate)
                for rules in (self._before, self._later)
            )
            exchange_rules(self, was, new)
        super().open_step()


def exchange_rules(model: StressModel, was: StressModel, new: StressModel) -> None:
    """Give a running model the rules of ``new`` where they differ from those of ``was``.

    Parameters
    ----------
    model : opened like ``was``, and stepped since
    was, new : freshly opened with the old and the new scenario, same seed and replicate

    Raises
    ------
    ConfigError
        When the new rules would have opened another market, or a rule has been at work since in a
        way that cannot be taken up.
    """
    try:
        model.engine.spells.keep_tables()
        exchange = _Exchange()
        for name in [name for name in vars(was) if _is_ours(name, vars(was)[name])]:
            put = exchange.put(getattr(model, name), getattr(was, name), getattr(new, name), name)
            setattr(model, name, put)
    finally:
        for opened in (was, new):
            release(opened)


def _is_ours(name: str, value: Any) -> bool:
    """Tell whether an attribute of a model is not one that Mesa gives it."""
    ours = type(value).__module__.startswith("stresslab.")
    return name not in _LEFT_ALONE and (ours or isinstance(value, (np.ndarray, *_PLAIN)))


class _Exchange:
    """Walks three models side by side."""

    def __init__(self) -> None:
        self._done: dict[int, tuple[Any, Any]] = {}  # by id: what stood there, what stands now

    def put(self, now: Any, was: Any, new: Any, path: str) -> Any:
        """Return what takes the place of ``now``; containers are changed where they stand."""
        if was is new:
            return now
        if id(now) in self._done and not isinstance(now, _PLAIN):
            return self._done[id(now)][1]
        if isinstance(now, np.ndarray) and isinstance(was, np.ndarray):
            put = self._array(now, was, new, path)
        elif type(was) is not type(new) or isinstance(was, _PLAIN) or is_declared(type(was)):
            put = self._whole(now, was, new, path)
        elif isinstance(now, dict | list | tuple):
            put = self._members(now, was, new, path)
        elif _is_state(now):
            put = self._attributes(now, was, new, path)
        else:
            put = new if now is was else now  # kernels: there is one for each rule
        if not isinstance(now, _PLAIN):
            self._done[id(now)] = now, put
        return put

    def _whole(self, now: Any, was: Any, new: Any, path: str) -> Any:
        """Exchange a number, a name or a declared rule."""
        if type(was) is type(new) and was == new:
            return now
        _refuse_past(path)
        if not all(isinstance(v, _PLAIN) or is_declared(type(v)) for v in (now, was, new)):
            raise _cannot(path)
        if type(now) is not type(was) or now != was:
            raise _cannot(path)
        return new

    def _array(self, now: np.ndarray, was: np.ndarray, new: Any, path: str) -> np.ndarray:
        if not isinstance(new, np.ndarray) or new.dtype != was.dtype:
            raise _cannot(path)
        if was.shape != new.shape:
            _refuse_past(path)
            if "tables" in path.split(".") or not np.array_equal(now, was):
                raise _cannot(path)
            return new
        differs = was != new
        if differs.any():
            _refuse_past(path)
            differs &= now != new  # a view may have been here before
            if (now[differs] != was[differs]).any():
                raise _cannot(path)
            now[differs] = new[differs]
        return now

    def _members(self, now: Any, was: Any, new: Any, path: str) -> Any:
        if isinstance(now, dict):
            if was.keys() != new.keys():
                raise _cannot(path)
            for key in was.keys() & now.keys():
                now[key] = self.put(now[key], was[key], new[key], f"{path}.{key}")
            return now
        if len(was) != len(new) or len(now) != len(was):
            return self._other_length(now, was, new, path)
        names = getattr(now, "_fields", range(len(now)))
        rows = zip(now, was, new, names, strict=True)
        put = [self.put(*row[:3], f"{path}.{row[3]}") for row in rows]
        if isinstance(now, list):
            now[:] = put
        if isinstance(now, list) or all(one is other for one, other in zip(now, put, strict=True)):
            return now
        return type(now)._make(put) if hasattr(now, "_make") else tuple(put)

    def _other_length(self, now: Any, was: Any, new: Any, path: str) -> Any:
        if len(was) == len(new):  # it has grown since, as what is remembered does
            return now
        if not all(isinstance(value, (*_PLAIN, tuple)) for value in (*now, *new)) or now != was:
            raise _cannot(path)
        return new

    def _attributes(self, now: Any, was: Any, new: Any, path: str) -> Any:
        own = vars(now)
        if vars(was).keys() != vars(new).keys():
            raise _cannot(path)
        for name in [name for name in vars(was) if name in own and name not in _LEFT_ALONE]:
            put = self.put(own[name], vars(was)[name], vars(new)[name], f"{path}.{name}")
            if put is not own[name]:
                object.__setattr__(now, name, put)
        return now


def _is_state(value: Any) -> bool:
    ours = type(value).__module__.startswith("stresslab.") and hasattr(value, "__dict__")
    return ours and not callable(value)


def _refuse_past(path: str) -> None:
    if not _PAST.isdisjoint(part.lstrip("_") for part in path.split(".")):
        raise ConfigError(
            f"--set: changes how the market opens ({path}); without --from-step it holds from the "
            "start"
        )


def _cannot(path: str) -> ConfigError:
    return ConfigError(
        f"--set: cannot be changed on the way ({path}); without --from-step it holds from the start"
    )
