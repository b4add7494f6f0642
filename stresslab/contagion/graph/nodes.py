"""Nodes of contagion graphs: their names and attributes, plain Python values throughout."""

from __future__ import annotations

from typing import Any

from stresslab.contagion.columns import usd
from stresslab.contagion.graph.projections import strategies
from stresslab.contagion.projection import Contagion


def liquidation_node(liquidation: int) -> str:
    """Return the name of a liquidation's node."""
    return f"liquidation:{liquidation}"


def move_node(stage: int, asset: str) -> str:
    """Return the name of a price move's node."""
    return f"move:{stage}:{asset}"


def adl_node(liquidation: int) -> str:
    """Return the name of the node of all auto-deleveraging for one liquidation."""
    return f"adl:{liquidation}"


def liquidation_attributes(run: Contagion) -> list[dict[str, Any]]:
    """Return the attributes of every liquidation, in order of id.

    ``kind`` is "liquidation"; ``liquidation`` its id; ``account``, ``strategy``, ``mode``,
    ``asset`` (empty for a cross pool), ``step``, ``round``, ``outcome`` as recorded;
    ``equity_usd``, ``maintenance_usd``, ``notional_usd`` of the pool at the first breach;
    ``forced_notional_usd``, ``forced_loss_usd`` of its forced orders; ``endogenous_share``,
    ``generation``, ``depth`` and ``tree`` (id of the root of its cascade tree).
    """
    rows, names = run.liquidations, [*run.asset_names, ""]
    strategy = strategies(run)
    attributes = []
    for row, liquidation in enumerate(run.ids.tolist()):
        attributes.append(
            {
                "kind": "liquidation",
                "liquidation": liquidation,
                "account": int(rows["account"][row]),
                "strategy": strategy[row],
                "mode": str(rows["mode"][row]),
                "asset": names[int(rows["asset"][row])],
                "step": int(rows["step"][row]),
                "round": int(rows["round"][row]),
                "outcome": str(rows["outcome"][row]),
                "equity_usd": usd(rows["equity_micro_usd"][row]),
                "maintenance_usd": usd(rows["maintenance_micro_usd"][row]),
                "notional_usd": usd(rows["notional_micro_usd"][row]),
                "forced_notional_usd": usd(run.forced_notional[row]),
                "forced_loss_usd": usd(run.forced_loss[row]),
                "endogenous_share": float(run.forest.endogenous_share[row]),
                "generation": float(run.forest.generation[row]),
                "depth": int(run.forest.depth[row]),
                "tree": int(run.ids[run.forest.root[row]]),
            }
        )
    return attributes
