"""Opens a market from a scenario: people and their positions, pools, books, marks, Mesa agents."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from stresslab.core.columns import Accounts, Market, make_accounts
from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.ledger import (
    INSURANCE_FUND,
    House,
    clear_journal,
    give_own_fund,
    make_house,
    make_journal,
)
from stresslab.core.portable import power
from stresslab.core.random import Streams
from stresslab.liquidation.floor import Clearing, LimitOrderFloor
from stresslab.liquidation.impact_floor import ImpactFloor
from stresslab.margin.chains.book import ChainBook
from stresslab.margin.endowment import TILT_UNIT, endow, refuse_born_in_breach
from stresslab.margin.posting import Costs
from stresslab.margin.requirement.in_force import RatesInForce
from stresslab.margin.requirement.part import Opening
from stresslab.margin.tiers import (
    MarginTables,
    initial_margins,
    lowest_initial_rates,
    margin_tables,
    rate_units,
    to_rates,
)
from stresslab.market.books import ImpactBookRules
from stresslab.market.circuit_breaker import CircuitBreaker
from stresslab.market.impact_book import make_impact_books
from stresslab.market.index import SECONDS_PER_DAY, index_path
from stresslab.market.limit_order_book import make_limit_order_books
from stresslab.market.median_mark import make_board
from stresslab.market.oracle import oracle_path
from stresslab.market.rules import BrownianIndex, ReplayIndex
from stresslab.market.view import make_market
from stresslab.model.change import choose_first_modes
from stresslab.model.world import World
from stresslab.scenario import Scenario
from stresslab.traders.crowd import Crowd
from stresslab.traders.kernels.population import lognormals
from stresslab.traders.planning import Instruments
from stresslab.traders.population import Population

MICRO = 1_000_000


def open_world(scenario: Scenario, streams: Streams) -> World:
    """Draw the people, endow their pools at the first index prices, and open empty books.

    Raises
    ------
    ConfigError
        When a pool would be in breach before the first step.
    """
    assets = scenario.assets.values()
    is_spot = np.array([a.kind == "spot" for a in assets], np.int64)
    unit_value = np.array([a.unit_value for a in assets], np.int64)
    tables = margin_tables(scenario.margin, list(scenario.assets), is_spot, unit_value)
    index = _index(scenario, streams)
    rates = _rates(scenario, tables, index[0])
    instruments = Instruments(tuple(scenario.assets), index[0], unit_value, is_spot)
    population = Population.draw(scenario.traders, instruments, _strictest_margin(tables), streams)
    accounts = _accounts(population)
    market = _market(scenario, tables, index[0])
    crowd = Crowd(
        scenario.traders, scenario.margin_mode, population, accounts, market, streams,
        scenario.step_seconds, scenario.n_steps + 1, instruments.names,
    )  # fmt: skip
    crowd.prepare()
    choose_first_modes(scenario.counterfactual, accounts, is_spot)
    _endow(scenario, accounts, tables, index[0], population, streams)
    clearing = _clearing(scenario, accounts, tables)
    chains = _chains(scenario, clearing, population, streams)
    refuse_born_in_breach(accounts, tables, index[0])
    return World(
        clearing=clearing,
        floor=_floor(scenario, clearing, index[0]),
        board=make_board(scenario.market.mark, index[0], scenario.step_seconds),
        rates=rates,
        breaker=CircuitBreaker(
            scenario.market.circuit_breaker, len(scenario.assets), scenario.step_seconds
        ),
        market=market,
        crowd=crowd,
        index=index,
        oracle=oracle_path(
            index, scenario.market.oracle, scenario.step_seconds, scenario.burn_in_seconds
        ),
        oracle_now=index[0].copy(),
        chains=chains,
        called=np.zeros(accounts.cash.size, np.int8),
        fading=_fading(scenario),
    )


def _index(scenario: Scenario, streams: Streams) -> np.ndarray:
    market = scenario.market
    return index_path(
        scenario.assets, market.index, market.shocks, scenario.n_steps, scenario.step_seconds,
        scenario.burn_in_seconds, streams,
    )  # fmt: skip


def _rates(scenario: Scenario, tables: MarginTables, prices: np.ndarray) -> RatesInForce:
    """Write the add-ons of a calm market into the tables; people are sized to these rates."""
    opening = Opening(scenario.step_seconds, prices.tolist(), _calm(scenario).tolist())
    margin, names = scenario.margin, list(scenario.assets)
    return RatesInForce(margin.requirement, names, tables, opening, margin.portfolio)


def _strictest_margin(tables: MarginTables) -> Callable[[int, np.ndarray], np.ndarray]:
    """Return the initial margin of the mode that asks most, so that every arm can hold it."""
    mode = ISOLATED if tables.factor[ISOLATED] >= tables.factor[CROSS] else CROSS

    def margin(asset: int, notional: np.ndarray) -> np.ndarray:
        return initial_margins(tables, asset, notional, mode)

    return margin


def _accounts(population: Population) -> Accounts:
    n_assets, n_accounts = population.position.shape
    accounts = make_accounts(n_accounts, n_assets)
    accounts.id[:] = population.id
    accounts.position[:] = population.position
    accounts.allotment_rate[:] = to_rates(1.0 / population.columns.leverage)
    return accounts


def _endow(
    scenario: Scenario, accounts: Accounts, tables: MarginTables, prices: np.ndarray,
    population: Population, streams: Streams,
) -> None:  # fmt: skip
    columns = population.columns
    free = np.array([group.share_apart for group in scenario.traders.values()])[columns.group]
    backing = np.rint(columns.wealth * (1.0 - free)).astype(np.int64)
    endow(
        accounts, tables, prices, columns.wealth, backing, population.position,
        accounts.chosen_mode, scenario.margin.allotment == "wealth",
        _tilt(accounts, scenario.margin.allotment_dispersion, streams),
    )  # fmt: skip


def _tilt(accounts: Accounts, dispersion: float, streams: Streams) -> np.ndarray:
    """Return how each position's weight in its account departs from pro rata, in 1e-6."""
    key = streams["allotment"]
    tilts = [lognormals(key, accounts.id, a, dispersion) for a in range(accounts.position.shape[0])]
    return np.rint(np.stack(tilts) * TILT_UNIT).astype(np.int64)


def _clearing(scenario: Scenario, accounts: Accounts, tables: MarginTables) -> Clearing:
    n_assets, n_accounts = accounts.position.shape
    house = make_house(n_assets)
    _fill_funds(scenario, house)
    fees = scenario.market.fees
    costs = Costs(
        *(np.array([rate_units(r)], np.int64) for r in (fees.maker_rate, fees.taker_rate))
    )
    return Clearing(accounts, house, make_journal(n_accounts, n_assets), tables, costs)


def _fill_funds(scenario: Scenario, house: House) -> None:
    """Fill the shared insurance fund and those that markets have for themselves."""
    rules, names = scenario.liquidation, list(scenario.assets)
    house.cash[INSURANCE_FUND] = round(rules.insurance_fund_usd * MICRO)
    for name, amount_usd in rules.insurance_fund_by_asset_usd.items():
        give_own_fund(house, names.index(name), round(amount_usd * MICRO))


def _chains(
    scenario: Scenario, clearing: Clearing, population: Population, streams: Streams
) -> ChainBook | None:
    """Take the groups' reserves out of the wallets, if there are other chains."""
    rules = scenario.margin.chains
    if not rules:
        return None
    groups = scenario.traders.values()
    shares = np.array([[group.reserves.get(name, 0.0) for group in groups] for name in rules])
    columns = population.columns
    chains = ChainBook(
        rules, clearing.accounts, clearing.house, clearing.journal, streams, scenario.step_seconds
    )
    chains.keep(np.rint(columns.wealth * shares[:, columns.group]).astype(np.int64))
    clear_journal(clearing.journal)
    return chains


def _market(scenario: Scenario, tables: MarginTables, prices: np.ndarray) -> Market:
    return make_market(
        index=prices,
        normal_volatility=_calm(scenario),
        correlation=getattr(scenario.market.index, "correlation", 0.0),
        unit_value=tables.unit_value,
        initial_rate=lowest_initial_rates(tables),
        is_spot=tables.is_spot,
    )


def _calm(scenario: Scenario) -> np.ndarray:
    """Return the volatility of a step that the index model stands for, by asset."""
    model = scenario.market.index
    if not isinstance(model, BrownianIndex | ReplayIndex):
        return np.zeros(len(scenario.assets))
    own = getattr(model, "volatility_by_asset", {})
    daily = [own.get(name, model.daily_volatility) for name in scenario.assets]
    return np.array(daily) * math.sqrt(scenario.step_seconds / SECONDS_PER_DAY)


def _floor(scenario: Scenario, clearing: Clearing, prices: np.ndarray) -> Any:
    """Open the books of the kind that the config names."""
    rules, names = scenario.market.book, list(scenario.assets)
    if isinstance(rules, ImpactBookRules):
        lot_value = prices * clearing.tables.unit_value / MICRO
        values = dict(zip(names, lot_value.tolist(), strict=True))
        by_law = make_impact_books(rules.law, rules.fill_price, prices, values)
        return ImpactFloor(clearing, by_law, rules.clearing == "together")
    levels = [rules.n_levels(int(price)) for price in prices]
    books = make_limit_order_books(levels, clearing.accounts.id.size, rules.capacity)
    use_last = scenario.market.mark.uses_last
    return LimitOrderFloor(clearing, books, 2 * prices.copy(), use_last)


def _fading(scenario: Scenario) -> float:
    half_lives = scenario.step_seconds / scenario.market.volatility_half_life_seconds
    return float(power(0.5, half_lives))
