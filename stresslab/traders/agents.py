"""Traders as Mesa agents: every trader of a model is a real ``mesa.Agent`` without numbers."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import mesa

from stresslab.core.collecting import uncollected

if TYPE_CHECKING:
    from stresslab.traders.group import Group


@functools.cache
def agent_class(strategy: Any) -> Any:
    """Return the strategy as a Mesa agent: its rule first, then everything of ``mesa.Agent``."""
    body = {"__module__": strategy.__module__, "__doc__": strategy.__doc__}
    return type(strategy.__name__, (strategy, mesa.Agent), body)


def make_agents(model: mesa.Model, groups: Iterable[Group]) -> None:
    """Make one handle a trader, in ``model.agents`` and in its group."""
    with uncollected():  # it would walk all handles again and again as they grow
        for group in groups:
            make = agent_class(group.strategy)  # type: ignore[arg-type]
            group.agents = {row: make(row, group, model) for row in group.members.tolist()}


def release(model: mesa.Model) -> None:
    """Let go of a model: Mesa 3.3 keeps each one alive through its table of agent ids."""
    getattr(mesa.Agent, "_ids", {}).pop(model, None)
