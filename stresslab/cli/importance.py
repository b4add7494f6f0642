"""The command that leaves accounts, assets and rules out one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from stresslab.experiment.importance import Importance


@click.command(short_help="Leave accounts, assets and rules of a cell out, one by one.")
@click.argument("run", type=click.Path())
@click.option("--cell", metavar="ID", required=True, help="Cell, by the beginning of its id.")
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="Accounts.")
@click.option("--workers", type=click.IntRange(1), help="Processes; default: one per core.")
@click.option("--json", "as_json", is_flag=True, help="Print the tables as JSON.")
def importance(run: str, cell: str, top: int, workers: int | None, as_json: bool) -> None:
    """Run a cell again without each of its largest accounts, assets and rules.

    An account leaves from the start, an asset's forced orders fill at the mark, a rule is switched
    off. Told are who is saved and who falls instead, and how well shadows, trigger shares and plain
    size foretold it. Tables and a figure are written to the folder `importance` of the run.

    \b
    Example:
      stresslab importance runs/demo --cell 3f2a --top 20
    """
    from stresslab.api import open_run
    from stresslab.experiment.importance import importance as leave_out
    from stresslab.experiment.runner import available_cores

    opened = open_run(run)
    tell = None if as_json else (lambda line: click.echo(f"  {line}", err=True))
    found = leave_out(opened, cell, top, workers or available_cores(), tell)
    paths = opened.keep_importance(found)
    if as_json:
        click.echo(json.dumps(_plain(found), indent=2))
        return
    for line in _lines(found):
        click.echo(line)
    click.echo(f"written: {paths[0].parent}/{found.cell}*")


def _plain(found: Importance) -> dict[str, Any]:
    tables = {"removals": found.removals, "forecasts": found.forecasts}
    rows = {
        name: [
            dict(zip(t, map(_number, row), strict=True)) for row in zip(*t.values(), strict=True)
        ]
        for name, t in tables.items()
    }
    return {"cell": found.cell, **rows}


def _number(value: Any) -> Any:
    """Return what JSON can hold: an undefined number is null."""
    return None if value != value else value


def _lines(found: Importance) -> Iterator[str]:
    rows = _plain(found)
    fell = max(row["fell"] for row in rows["removals"])
    yield f"cell {found.cell}: {fell} accounts fell"
    yield (
        f"{'left out':<26}{'saved':>6}{'felled':>7}{'shadow':>14}{'in turn':>14}{'spared USD':>13}"
    )
    for row in rows["removals"]:
        plain, in_turn = (
            f"{row[f'{name}_right']} of {row[f'{name}_saved']}"
            for name in ("shadow", "shadow_in_turn")
        )
        yield (
            f"{row['kind'] + ' ' + row['name']:<26}{row['saved']:>6}{row['felled']:>7}"
            f"{plain:>14}{in_turn:>14}{row['saved_usd']:>13,.0f}"
        )
    yield f"{'forecast':<26}{'AUC':>6}{'least':>7}{'removals':>14}{'rank correlation':>27}"
    for row in rows["forecasts"]:
        yield (
            f"{row['forecast'].replace('_', ' '):<26}{_text(row['auc']):>6}"
            f"{_text(row['least_auc']):>7}{row['n_auc']:>14}{_text(row['rank_correlation']):>27}"
        )


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
