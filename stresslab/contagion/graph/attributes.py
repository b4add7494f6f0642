"""What nodes and edges of contagion graphs carry: name, type and meaning, graph by graph."""

from __future__ import annotations

from typing import NamedTuple


class Attribute(NamedTuple):
    """One attribute of a node or an edge."""

    of: str  # kind of the node, or "edge"
    name: str
    type: str
    description: str


def _of(of: str, *rows: tuple[str, str, str]) -> tuple[Attribute, ...]:
    return tuple(Attribute(of, *row) for row in rows)


_LIQUIDATION = _of(
    "liquidation",
    ("kind", "str", "`liquidation`"),
    ("liquidation", "int", "liquidation id"),
    ("account", "int", "account id"),
    ("strategy", "str", "strategy of the account"),
    ("mode", "str", "margin mode of the pool"),
    ("asset", "str", "asset of an isolated pool, empty for a cross pool"),
    ("step", "int", "step of the first breach"),
    ("round", "int", "round after which the breach was seen"),
    ("outcome", "str", "restored, closed, bankrupt or open"),
    ("equity_usd", "float", "equity of the pool at the first breach"),
    ("maintenance_usd", "float", "maintenance margin at the first breach"),
    ("notional_usd", "float", "gross notional at the first breach"),
    ("forced_notional_usd", "float", "forced notional of its orders"),
    ("forced_loss_usd", "float", "what forced closing cost"),
    ("endogenous_share", "float", "trigger shares of all parents"),
    ("generation", "float", "expected links back to something that is no liquidation"),
    ("depth", "int", "links to the root of its cascade tree"),
    ("tree", "int", "liquidation id of the root of its cascade tree"),
)
_MOVE = _of(
    "move",
    ("kind", "str", "`move`"),
    ("stage", "int", "stage of the price move"),
    ("step", "int", "step"),
    ("round", "int", "forced round, 0 before round 1"),
    ("asset", "str", "asset whose mark moved"),
    ("from_ticks", "int", "mark before"),
    ("to_ticks", "int", "mark after"),
    ("share_*", "float", "share of the move of a cause that is no liquidation"),
)
_DELEVERAGING = _of(
    "adl",
    ("kind", "str", "`adl`: all auto-deleveraging for one liquidation"),
    ("liquidation", "int", "liquidation id whose deficit or open lots it dealt with"),
)
_GROUP = (
    ("liquidations", "int", "liquidations"),
    ("forced_notional_usd", "float", "forced notional"),
    ("forced_loss_usd", "float", "what forced closing cost"),
    ("exogenous", "float", "trigger shares in its liquidations that no liquidation has"),
)
_FELLED = _of(
    "edge",
    ("liquidations", "float", "liquidations of the target by trigger share of the source's"),
    ("notional_usd", "float", "their forced notional by trigger share"),
)

_MONEY = (
    ("paid_usd", "float", "what it paid for deficits"),
    ("received_usd", "float", "what was paid for its deficits"),
)
_PAYER = (
    *_of("account", ("kind", "str", "`account`, named by its id"), *_MONEY),
    *_of("insurance_fund", ("kind", "str", "`insurance_fund`"), *_MONEY),
    *_of("everybody", ("kind", "str", "`everybody`: what is kept back on withdrawal"), *_MONEY),
)


def _projection(kind: str, what: str) -> tuple[Attribute, ...]:
    return (*_of(kind, ("kind", "str", f"`{kind}`; the node is named by its {what}"), *_GROUP),
            *_FELLED)  # fmt: skip


#: Graph -> what its nodes and edges carry. ``share_*`` stands for one name per cause.
ATTRIBUTES: dict[str, tuple[Attribute, ...]] = {
    "bipartite": (
        *_LIQUIDATION,
        *_MOVE,
        *_DELEVERAGING,
        *_of(
            "edge",
            ("share", "float", "liquidation -> move: its signed part of the move; -> adl: 1"),
            ("amount_usd", "float", "move or adl -> liquidation: margin eaten; < 0 gave back"),
        ),
    ),
    "liquidations": (
        *_LIQUIDATION,
        *_of(
            "edge",
            ("share", "float", "trigger share of the parent"),
            ("amount_usd", "float", "margin that the parent ate"),
            ("adl_share", "float", "part of the share that came through auto-deleveraging"),
        ),
    ),
    "tree": (*_LIQUIDATION, *_of("edge", ("share", "float", "share of the principal parent"))),
    "assets": (
        *_of(
            "asset",
            ("kind", "str", "`asset`; `none` stands for causes that are no price move"),
            ("is_shocked", "bool", "whether the scenario shocks it"),
        ),
        *_of(
            "edge",
            ("notional_usd", "float", "forced notional in the target that the source's price did"),
            ("endogenous_usd", "float", "of it by price moves that liquidations made"),
            ("isolated_usd", "float", "of it in isolated pools"),
            ("cross_usd", "float", "of it in cross pools"),
        ),
    ),
    "accounts": _projection("account", "id"),
    "modes": _projection("mode", "margin mode"),
    "strategies": _projection("strategy", "strategy"),
    "exposures": (
        *_of(
            "account",
            ("kind", "str", "`account`"),
            ("account", "int", "account id"),
            ("strategy", "str", "strategy"),
            ("wealth_usd", "float", "equity before the first step"),
            ("notional_usd", "float", "notional of all its positions"),
            ("leverage", "float", "notional over wealth, 0 without wealth"),
        ),
        *_of(
            "asset",
            ("kind", "str", "`asset`"),
            ("open_interest_usd", "float", "long positions"),
            ("depth_usd", "float", "bids within 1 % of the mark in the first step"),
            ("is_shocked", "bool", "whether the scenario shocks it"),
        ),
        *_of(
            "edge",
            ("notional_usd", "float", "absolute notional of the position"),
            ("position_usd", "float", "the same, negative for a short"),
            ("mode", "str", "margin mode of the position"),
        ),
    ),
    "payers": (
        *_PAYER,
        *_of(
            "edge",
            ("paid_usd", "float", "what the source paid for deficits of the target's pools"),
            ("fund_usd", "float", "of it from the insurance fund"),
            ("adl_usd", "float", "of it by auto-deleveraging"),
            ("socialised_usd", "float", "of it as socialised loss"),
        ),
    ),
}
