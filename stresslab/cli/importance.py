"""The command that leaves accounts, assets and rules out one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from stresslab.analysis.importance import Importance


@click.command(short_help="Leave accounts, assets and rules of a cell out, one by one.")
@click.argument("run", type=click.Path())
@click.option("--cell", metavar="ID", required=True, help="Cell, by the beginning of its id.")
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="Accounts.")
@click.option(
    "--replicates",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="This replicate and the next ones of its arm and point.",
)
@click.option("--workers", type=click.IntRange(1), help="Processes; default: one per core.")
@click.option("--json", "as_json", is_flag=True, help="Print the tables as JSON.")
def importance(
    run: str, cell: str, top: int, replicates: int, workers: int | None, as_json: bool
) -> None:
    """Run a cell again without each of its largest accounts, assets and rules.

    An account leaves from the start, an asset's forced orders fill at the mark, a rule is switched
    off. Told are who is saved and who falls instead, and how well shadows, trigger shares and plain
    size foretold it, among all others and among those who hold, with 95 % intervals over
    replicates. Those who hold, `passive` in the tables, had no stop triggered, neither topped up
    nor cut, and held at their breach what they opened with. A removal counts if it saves some and
    not all. Tables and a figure go to the folder `importance` of the run.

    \b
    Example:
      stresslab importance runs/demo --cell 3f2a --top 20 --replicates 5
    """
    from stresslab.api import open_run
    from stresslab.experiment.runner import available_cores

    opened = open_run(run)
    tell = None if as_json else (lambda line: click.echo(f"  {line}", err=True))
    found = opened.importance(
        cell, top, workers or available_cores(), replicates=replicates, tell=tell
    )
    paths = opened.keep_importance(found)
    if as_json:
        click.echo(json.dumps(_plain(found), indent=2))
        return
    for line in _lines(found):
        click.echo(line)
    click.echo(f"written: {paths[0].parent}/{found.cell}*")


def _plain(found: Importance) -> dict[str, Any]:
    tables = found._asdict()
    cell = tables.pop("cell")
    rows = {
        name: [
            dict(zip(t, map(_number, row), strict=True)) for row in zip(*t.values(), strict=True)
        ]
        for name, t in tables.items()
    }
    return {"cell": cell, **rows}


def _number(value: Any) -> Any:
    """Return what JSON can hold: an undefined number is null."""
    return None if value != value else value


def _lines(found: Importance) -> Iterator[str]:
    rows = _plain(found)
    n = max(row["n"] for row in rows["effects"])
    fell = max(row["fell"] for row in rows["effects"])
    means = "" if n == 1 else f", mean of {n} replicates; [95 % interval over them]"
    yield f"cell {found.cell}: {fell:.4g} accounts fell{means}"
    yield (
        f"{'left out':<25}{'saved':>7}{'felled':>8}{'shadow':>13}{'in turn':>13}{'fading':>13}"
        f"{'spared USD':>13}"
    )
    for row in rows["effects"]:
        told = "".join(
            f"{row[f'{name}_right']} of {row[f'{name}_saved']}".rjust(13)
            for name in ("shadow", "shadow_in_turn", "shadow_fading")
        )
        yield (
            f"{row['removal']:<25}{row['saved']:>7.4g}{row['felled']:>8.4g}{told}"
            f"{row['saved_usd']:>13,.0f}"
        )
    yield from _scores(rows["forecasts"])


def _scores(rows: list[dict[str, Any]]) -> Iterator[str]:
    first = rows[0]
    yield (
        f"accounts left out saved {first['saved']:,} of {first['others']:,} others and felled "
        f"{first['felled']:,}; of those who hold {first['passive_saved']:,} of "
        f"{first['passive']:,}"
    )
    yield (
        "those who hold had no stop triggered, neither topped up nor cut, and held at their breach "
        "what they opened with"
    )
    yield f"{'':<16}{'saved ranked above fallen (AUC), within removals':>52}"
    yield (
        f"{'forecast':<16}{'all others':>18}{'least':>7}{'those who hold':>20}{'least':>7}"
        f"{'rank correlation':>21}{'right':>13}"
    )
    for row in rows:
        right = "" if row["foretold"] is None else f"{row['right']} of {row['foretold']}"
        line = (
            f"{row['forecast'].replace('_', ' '):<16}{_interval(row, 'auc'):>18}"
            f"{_text(row['least_auc']):>7}{_interval(row, 'passive_auc'):>20}"
            f"{_text(row['least_passive_auc']):>7}{_interval(row, 'rank_correlation'):>21}"
            f"{right:>13}"
        )
        yield line.rstrip()
    counted = (first["n_auc"], first["n_passive_auc"])
    yield f"{'of removals':<16}{counted[0]:>18}{'':>7}{counted[1]:>20}"


def _interval(row: dict[str, Any], name: str) -> str:
    if row[f"{name}_low"] is None:
        return _text(row[name])
    return f"{row[name]:.2f} [{row[f'{name}_low']:.2f}, {row[f'{name}_high']:.2f}]"


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
