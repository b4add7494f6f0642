"""Who lost what: traders, insurance fund, auto-deleveraged winners, socialised loss, external.

The loss of the whole is counted once: each account's loss at the index before what it paid for
others' deficits, gains left out, plus what fund, winners and everyone paid for those deficits.
"""

from __future__ import annotations

import numpy as np

from stresslab.contagion.columns import as_int, ratio, rows_of, usd
from stresslab.contagion.measures.measure import Measure
from stresslab.contagion.projection import Contagion


def account_losses_micro_usd(run: Contagion) -> np.ndarray:
    """Return the loss of every account in order of id, at the index, penalties included.

    Gains are 0. What an account paid through auto-deleveraging or socialised loss is left out
    here, as it is counted where the deficit is.
    """
    accounts = run.tables["accounts"]
    ids = as_int(accounts["account"])
    order = np.argsort(ids)
    lost = as_int(accounts["wealth_micro_usd"]) - as_int(
        accounts["final_equity_at_index_micro_usd"]
    )
    lost = lost[order]
    for table in ("adl", "socialised"):
        rows = run.tables[table]
        payer = rows_of(as_int(rows["account"]), ids[order])
        np.subtract.at(lost, payer[payer >= 0], as_int(rows["loss_micro_usd"])[payer >= 0])
    return np.maximum(lost, 0)


def trader_loss_micro_usd(run: Contagion) -> int:
    """Return the losses of losing accounts, at the index, penalties included."""
    return int(account_losses_micro_usd(run).sum())


def waterfall_micro_usd(run: Contagion) -> dict[str, int]:
    """Return the loss by who bears it; the parts sum exactly to the total."""
    penalty = int(as_int(run.tables["accounts"]["penalties_micro_usd"]).sum())
    parts = {
        "trader": trader_loss_micro_usd(run) - penalty,
        "penalty": penalty,
        "fund": _covered(run, "fund"),
        "adl": _covered(run, "adl"),
        "socialised": _covered(run, "socialised"),
    }
    return {**parts, "total": sum(parts.values())}


def _covered(run: Contagion, payer: str) -> int:
    return int(as_int(run.tables["waterfall"][f"{payer}_micro_usd"]).sum())


def trader_loss(run: Contagion) -> float:
    """Return the losses of losing accounts at the index."""
    return usd(trader_loss_micro_usd(run))


def system_loss(run: Contagion) -> float:
    """Return loss of traders + fund + ADL + socialised, the loss that amplification compares."""
    return usd(waterfall_micro_usd(run)["total"])


def penalties(run: Contagion) -> float:
    """Return liquidation penalties paid."""
    return usd(waterfall_micro_usd(run)["penalty"])


def deficit(run: Contagion) -> float:
    """Return negative equity of bankrupt pools."""
    return usd(_covered(run, "deficit"))


def deficit_isolated(run: Contagion) -> float:
    """Return negative equity of bankrupt isolated pools."""
    return _deficit_of(run, "isolated")


def deficit_cross(run: Contagion) -> float:
    """Return negative equity of bankrupt cross pools."""
    return _deficit_of(run, "cross")


def _deficit_of(run: Contagion, mode: str) -> float:
    rows = run.tables["waterfall"]
    is_mode = np.asarray(rows["mode"] == mode, dtype=bool)
    return usd(as_int(rows["deficit_micro_usd"])[is_mode].sum())


def fund_paid(run: Contagion) -> float:
    """Return what the insurance fund paid for deficits."""
    return usd(_covered(run, "fund"))


def adl(run: Contagion) -> float:
    """Return what auto-deleveraging seized from winners."""
    return usd(_covered(run, "adl"))


def socialised(run: Contagion) -> float:
    """Return the socialised loss."""
    return usd(_covered(run, "socialised"))


def adl_notional(run: Contagion) -> float:
    """Return the notional that auto-deleveraging closed, at the mark of the step's end."""
    rows, path = run.tables["adl"], run.paths
    if not len(rows["asset"]):
        return 0.0
    asset = as_int(rows["asset"])
    mark = path.mark_price[rows_of(as_int(rows["step"]), path.step), asset]
    return usd(np.abs(as_int(rows["lots"]) * mark * run.unit_values[asset]).sum())


def adl_share(run: Contagion) -> float:
    """Return notional closed by ADL over all notional closed by force; NaN without any."""
    closed = adl_notional(run)
    return ratio(closed, closed + usd(run.forced.notional.sum()))


def n_adl(run: Contagion) -> int:
    """Count auto-deleveraged positions."""
    return len(run.tables["adl"]["account"])


def n_adl_accounts(run: Contagion) -> int:
    """Count auto-deleveraged accounts."""
    return len(np.unique(run.tables["adl"]["account"]))


def external_profit(run: Contagion) -> float:
    """Return the equity of `external` after the last step, at mark; it begins with nothing."""
    return _last(run, "external_micro_usd")


def fund_final(run: Contagion) -> float:
    """Return the balance of the insurance fund after the last step."""
    return _last(run, "insurance_fund_micro_usd")


def fees(run: Contagion) -> float:
    """Return trading fees paid by accounts, net of rebates."""
    return usd(as_int(run.tables["accounts"]["fees_micro_usd"]).sum())


def _last(run: Contagion, column: str) -> float:
    rows = run.tables["totals"]
    return usd(rows[column][np.argmax(rows["step"])]) if len(rows["step"]) else 0.0


MEASURES = (
    Measure("trader_loss_usd", "USD", "Loss of losing traders at the index", trader_loss),
    Measure("system_loss_usd", "USD", "Loss of traders, fund, ADL and socialised", system_loss),
    Measure("penalties_usd", "USD", "Liquidation penalties", penalties),
    Measure("deficit_usd", "USD", "Deficit of bankrupt pools", deficit),
    Measure("deficit_isolated_usd", "USD", "Deficit of isolated pools", deficit_isolated),
    Measure("deficit_cross_usd", "USD", "Deficit of cross pools", deficit_cross),
    Measure("fund_paid_usd", "USD", "Paid by the insurance fund", fund_paid),
    Measure("adl_usd", "USD", "Seized by auto-deleveraging", adl),
    Measure("socialised_usd", "USD", "Socialised loss", socialised),
    Measure("adl_notional_usd", "USD", "Notional closed by auto-deleveraging", adl_notional),
    Measure("adl_share", "1", "Share of ADL in notional closed by force", adl_share),
    Measure("n_adl", "positions", "Positions auto-deleveraged", n_adl),
    Measure("n_adl_accounts", "accounts", "Accounts auto-deleveraged", n_adl_accounts),
    Measure("external_profit_usd", "USD", "Profit of external", external_profit),
    Measure("fund_final_usd", "USD", "Insurance fund after the last step", fund_final),
    Measure("fees_usd", "USD", "Trading fees", fees),
)
