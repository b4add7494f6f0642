"""Traders as Mesa agents: all there, selectable, released after the run."""

from __future__ import annotations

import gc
import weakref

import mesa
import numpy as np

from stresslab.traders.agents import make_agents, release
from stresslab.traders.strategies.noise import Noise
from stresslab.traders.strategies.passive import Passive
from tests.toy_traders import random_group


def test_every_row_has_one_agent_that_mesa_can_select() -> None:
    model = mesa.Model(rng=1)
    noise, passive = random_group("noise", 0, 20), random_group("passive", 1, 10)

    make_agents(model, [noise, passive])

    assert len(model.agents) == 30
    chosen = model.agents.select(agent_type=Noise)
    assert [agent.row for agent in chosen] == list(range(20))
    assert chosen.get("unique_id") == noise.accounts.id.tolist()
    long = model.agents.select(lambda agent: agent.positions[0] > 0)
    assert 0 < len(long) < 30
    assert {type(agent).__name__ for agent in model.agents} == {"Noise", "Passive"}
    assert isinstance(passive.trader(3), Passive) and passive.trader(3).model is model


def test_a_released_model_can_be_collected() -> None:
    model = mesa.Model(rng=1)
    make_agents(model, [random_group("noise", 0, 5)])
    watch = weakref.ref(model)

    release(model)
    del model
    gc.collect()

    assert watch() is None


def test_garbage_collection_is_left_as_it_was() -> None:
    assert gc.isenabled()
    make_agents(mesa.Model(rng=1), [random_group("noise", 0, 5)])
    assert gc.isenabled()


def test_rows_are_python_integers() -> None:
    group = random_group("noise", 0, 5)
    assert not isinstance(group.trader(2).unique_id, np.integer)
