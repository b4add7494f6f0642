"""The fire-sale model in floats, written from its specification's text and nothing else.

48 banks, bonds in two classes; assets = equity / leverage ratio, cash 5 % of them, loan half of
what is owed. Government bonds fall. In each step: banks that defaulted in the last one sell
everything; orders clear at p exp(-beta q / Q), the seller getting the middle of old and new price;
each live bank defaults if E/A < 3 %, else if E/A < buffer it needs max(0, A - E/5 %), pays
min(need, cash, loan) from cash, and orders sales worth max(0, need left - cash left) pro rata by
value for the next step.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

DATA = Path(__file__).parents[2] / "stresslab" / "validation" / "data"


def fire_sale(shock: float, impact: float, buffer: float, steps: int) -> tuple[int, float]:
    """Return the number of defaults and the share of bonds sold, at initial prices."""
    banks = [_bank(row) for row in rows("eba_2018.csv")]
    whole = [sum(bank["held"][a] for bank in banks) for a in (0, 1)]
    beta = -math.log(1 - impact) / 0.05
    price, sold = [1 - shock, 1.0], [0.0, 0.0]
    for _ in range(steps):
        for a in (0, 1):
            quantity = sum(bank["order"][a] for bank in banks)
            new = price[a] * math.exp(-beta * quantity / whole[a])
            for bank in banks:
                bank["cash"] += bank["order"][a] * (price[a] + new) / 2
                bank["held"][a] -= bank["order"][a]
            sold[a] += quantity
            price[a] = new
        for bank in banks:
            bank["order"] = _order(bank, price, buffer)
    return sum(bank["is_dead"] for bank in banks), sum(sold) / sum(whole)


def _bank(row):
    equity = float(row["cet1_eur_m"])
    assets = equity / (float(row["leverage_ratio_pct"]) / 100)
    government = float(row["government_bonds_eur_m"])
    other = float(row["debt_securities_eur_m"]) - government
    return {
        "held": [government, other],
        "order": [0.0, 0.0],
        "cash": 0.05 * assets,
        "rest": assets - 0.05 * assets - government - other,
        "debt": assets - equity,
        "loan": (assets - equity) / 2,
        "is_dead": False,
    }


def _order(bank, price, buffer):
    if bank["is_dead"]:
        return [0.0, 0.0]
    worth = sum(p * h for p, h in zip(price, bank["held"], strict=True))
    assets = worth + bank["cash"] + bank["rest"]
    equity = assets - bank["debt"]
    if equity / assets < 0.03:
        bank["is_dead"] = True
        return list(bank["held"])
    if equity / assets >= buffer:
        return [0.0, 0.0]
    need = max(0.0, assets - equity / 0.05)
    paid = min(need, bank["cash"], bank["loan"])
    for name in ("cash", "loan", "debt"):
        bank[name] -= paid
    wanted = max(0.0, need - paid - bank["cash"])
    share = min(1.0, wanted / worth) if worth else 0.0
    return [share * h for h in bank["held"]]


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of one of the tables that the package ships."""
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
