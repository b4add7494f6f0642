"""Writes what happens, while it happens, into the event log: stages, causes and spells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.events import CAUSES, MODES, EventLog
from stresslab.core.ledger import ADL, BRIDGE, FEE, FUNDING, OWN_EXECUTION, TRANSFER
from stresslab.liquidation.forced import ForcedOrders
from stresslab.liquidation.judgement import REQUIREMENT, Explanation
from stresslab.liquidation.waterfall import Settlement
from stresslab.market.marks import Shares

_REASON_CAUSES = {
    OWN_EXECUTION: "own_execution",
    FEE: "fees",
    FUNDING: "funding",
    TRANSFER: "transfer",
    ADL: "adl",
    REQUIREMENT: "requirement",
    BRIDGE: "bridge",
}


@dataclass(slots=True)
class Spell:
    """One spell of a pool in breach, from its first breach until restored or flat."""

    id: int
    code: int
    charged_asset: int
    had_deficit: bool = False
    end_step: int = -1
    outcome: str = "open"


@dataclass
class Recorder:
    """Keeps stage and liquidation ids and appends rows; decides nothing."""

    accounts: Accounts
    log: EventLog
    stage: int = 0
    spells: list[Spell] = field(default_factory=list)
    _opened: list[dict[str, Any]] = field(default_factory=list)
    _n_orders: int = 0

    def mode_of(self, code: int) -> tuple[str, int, int]:
        """Return (mode, asset or -1, row) of a pool code."""
        n_accounts = self.accounts.position.shape[1]
        pool, n = divmod(int(code), n_accounts)
        return (MODES[1], pool - 1, n) if pool > 0 else (MODES[2], -1, n)

    def price_moves(
        self, step: int, round_: int, moves: Sequence[tuple[int, int, int, Shares]]
    ) -> None:
        """Record the mark moves of the current stage and how each is split over causes.

        A move is its asset, the mark before and after in ticks, and the ticks of each cause. The
        moves of a stage are one chunk of the log: a chunk each would take longer than they do.
        """
        if not moves:
            return
        assets, old, new, shares = zip(*moves, strict=True)
        self.log.append(
            "price_moves",
            stage=self.stage, step=step, round=round_, asset=assets, from_ticks=old, to_ticks=new,
        )  # fmt: skip
        known, causes = len(CAUSES), [cause for split in shares for cause in split]
        self.log.append(
            "price_causes",
            stage=self.stage,
            asset=[asset for asset, split in zip(assets, shares, strict=True) for _ in split],
            cause=[CAUSES[cause] if cause < known else "liquidation" for cause in causes],
            liquidation=[cause - known if cause >= known else -1 for cause in causes],
            share=[
                ticks / (to - start)
                for start, to, split in zip(old, new, shares, strict=True)
                for ticks in split.values()
            ],
        )

    def alerts(
        self, step: int, round_: int, pools: np.ndarray, level: np.ndarray, equity: np.ndarray,
        maintenance: np.ndarray,
    ) -> None:  # fmt: skip
        """Record the pools that were told how near they are to a breach."""
        pool, n = np.divmod(pools, self.accounts.id.size)
        self.log.append(
            "alerts",
            step=step, round=round_, account=self.accounts.id[n],
            mode=_modes(pool > 0), asset=pool - 1,
            level=level, equity_micro_usd=equity, maintenance_micro_usd=maintenance,
        )  # fmt: skip

    def open_spells(
        self, step: int, round_: int, pools: np.ndarray, why: Explanation, legs: np.ndarray,
        charged: np.ndarray, adl: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> np.ndarray:  # fmt: skip
        """Record first breaches and return the liquidation ids.

        ``legs`` (n, A) are the lots held; ``adl`` is what auto-deleveraging ate: place in
        ``pools``, liquidation that it was for, amount.
        """
        first = len(self.spells)
        pool, n = np.divmod(pools, self.accounts.id.size)
        for place, (code, asset) in enumerate(zip(pools.tolist(), charged.tolist(), strict=True)):
            self.spells.append(Spell(first + place, code, asset))
        self._opened.append(
            {
                "account": self.accounts.id[n],
                "mode": _modes(pool > 0),
                "asset": pool - 1,
                "stage": self.stage,
                "step": step,
                "round": round_,
                "equity_micro_usd": why.equity,
                "maintenance_micro_usd": why.maintenance,
                "notional_micro_usd": why.notional,
                "excess_before_micro_usd": why.excess_before,
            }
        )
        ids = np.arange(first, len(self.spells), dtype=np.int64)
        self._record_legs(ids, legs)
        self._record_amounts(ids, why, adl)
        return ids

    def _record_legs(self, ids: np.ndarray, legs: np.ndarray) -> None:
        rows, assets = np.nonzero(legs)
        self.log.append(
            "breach_legs", liquidation=ids[rows], asset=assets, position_lots=legs[rows, assets]
        )

    def _record_amounts(
        self, ids: np.ndarray, why: Explanation, adl: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> None:
        rows, assets = np.nonzero(why.by_price)
        self.log.append(
            "breach_amounts",
            liquidation=ids[rows], stage=self.stage, asset=assets, cause="price",
            source_liquidation=-1, amount_micro_usd=why.by_price[rows, assets],
        )  # fmt: skip
        is_some = (why.by_reason != 0).any(axis=0).tolist()
        is_some[ADL] = adl[0].size > 0
        for reason in [each for each in _REASON_CAUSES if is_some[each]]:
            rows = np.flatnonzero(why.by_reason[:, reason])
            sources, amounts = np.full(rows.size, -1), why.by_reason[rows, reason]
            if reason == ADL:
                rows, sources, amounts = adl
            self.log.append(
                "breach_amounts",
                liquidation=ids[rows], stage=-1, asset=-1, cause=_REASON_CAUSES[reason],
                source_liquidation=sources, amount_micro_usd=amounts,
            )  # fmt: skip

    def late_value(self, ids: np.ndarray, late: np.ndarray) -> None:
        """Record what was in flight and did not count when pools breached; 0 leaves no row."""
        some = np.flatnonzero(late)
        self.log.append("late_value", liquidation=ids[some], in_flight_micro_usd=late[some])

    def forced_orders(
        self, step: int, round_: int, orders: ForcedOrders, spells: np.ndarray, marks: np.ndarray
    ) -> None:
        """Record a round's forced orders; they belong to the stage that the round makes."""
        n = int(orders.n[0])
        pools, assets = orders.pool[:n], orders.asset[:n].copy()
        is_isolated = pools >= self.accounts.position.shape[1]
        self.log.append(
            "forced_orders",
            order=np.arange(self._n_orders, self._n_orders + n),
            liquidation=spells[pools],
            account=self.accounts.id[orders.account[:n]],
            asset=assets,
            mode=_modes(is_isolated),
            stage=self.stage + 1,
            step=step,
            round=round_,
            mark_ticks=marks[assets],
            lots=orders.lots[:n].copy(),
            filled_lots=orders.filled[:n].copy(),
            cash_micro_usd=-orders.cash[:n],
            fee_micro_usd=orders.fee[:n].copy(),
            penalty_micro_usd=orders.penalty[:n].copy(),
        )
        self._n_orders += n

    def fund_payments(self, step: int, spells: list[Spell], paid: np.ndarray) -> None:
        """Record deficits that the insurance fund covered in full."""
        if not spells:
            return
        pool, n = np.divmod([spell.code for spell in spells], self.accounts.id.size)
        self.log.append(
            "waterfall",
            step=step, liquidation=[spell.id for spell in spells], account=self.accounts.id[n],
            asset=[spell.charged_asset for spell in spells],
            mode=_modes(pool > 0), deficit_micro_usd=paid,
            fund_micro_usd=paid, adl_micro_usd=0, socialised_micro_usd=0,
        )  # fmt: skip

    def settlement(self, step: int, spell: Spell, fund: int, settled: Settlement) -> None:
        """Record who paid a deficit that the insurance fund did not cover in full."""
        mode, _, n = self.mode_of(spell.code)
        asset = spell.charged_asset
        self.log.append(
            "waterfall",
            step=step, liquidation=spell.id, account=int(self.accounts.id[n]), asset=asset,
            mode=mode, deficit_micro_usd=fund + settled.adl + settled.socialised,
            fund_micro_usd=fund, adl_micro_usd=settled.adl, socialised_micro_usd=settled.socialised,
        )  # fmt: skip
        if settled.seized:
            winner, leg, lots, loss = np.array(settled.seized, np.int64).T
            self.log.append(
                "adl",
                step=step, liquidation=spell.id, account=self.accounts.id[winner], asset=leg,
                lots=lots, loss_micro_usd=loss,
            )  # fmt: skip
        self.shared(step, spell.id, asset, settled.shared)

    def shared(self, step: int, liquidation: int, asset: int, paid: list[tuple[int, int]]) -> None:
        """Record who paid a socialised loss: rows of accounts and amounts."""
        if paid:
            payer, amount = np.array(paid, np.int64).T
            self.log.append(
                "socialised",
                step=step, liquidation=liquidation, account=self.accounts.id[payer], asset=asset,
                loss_micro_usd=amount,
            )  # fmt: skip

    def repayment(self, step: int, spell: Spell, amount: int) -> None:
        """Record what the fund has paid of a loss that was to be socialised on withdrawal."""
        mode, _, n = self.mode_of(spell.code)
        self.log.append(
            "waterfall",
            step=step, liquidation=spell.id, account=int(self.accounts.id[n]),
            asset=spell.charged_asset, mode=mode, deficit_micro_usd=0, fund_micro_usd=amount,
            adl_micro_usd=0, socialised_micro_usd=-amount,
        )  # fmt: skip

    def finish(self) -> None:
        """Write the liquidations with how they ended."""
        first = 0
        for opened in self._opened:
            spells = self.spells[first : first + opened["account"].size]
            self.log.append(
                "liquidations",
                liquidation=[spell.id for spell in spells],
                end_step=[spell.end_step for spell in spells],
                outcome=[spell.outcome for spell in spells],
                **opened,
            )
            first += len(spells)


_POOL_MODES = np.array([MODES[2], MODES[1]], object)


def _modes(is_isolated: np.ndarray) -> np.ndarray:
    """Return the names of pools' modes."""
    return _POOL_MODES[is_isolated.astype(np.int64)]
