"""Commands that hold the model against what was known before."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from stresslab.validation.ladder import Verdict

FOLDER = Path("runs") / "validation"


@click.command(short_help="Hold the model against published results and closed forms.")
@click.argument("names", nargs=-1, metavar="[NAME ...]")
@click.option("--quick", is_flag=True, help="Draw less: a minute in all.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdicts as JSON, one a line.")
@click.option("--out", type=click.Path(), help=f"Folder of JSON and figures; default {FOLDER}.")
def validate(names: tuple[str, ...], quick: bool, as_json: bool, out: str | None) -> int:
    """Run published results, closed forms and peers' numbers as ordinary experiments.

    Prints what was measured and expected, the tolerance and the verdict; writes one JSON file and
    one figure for each experiment; exits with 1 if one fails. Without names all are run.

    \b
    Example:
      stresslab validate --quick
      stresslab validate borel cross-isolated
    """
    from stresslab.report.verdicts import show, write
    from stresslab.validation.experiment import Size
    from stresslab.validation.ladder import climb

    size = Size.QUICK if quick else Size.FULL
    folder = Path(out) if out else FOLDER
    passed = True
    for verdict in climb(names, size):
        write(verdict, folder)
        _tell(verdict, as_json, show(verdict))
        passed &= verdict.passed
    if not as_json:
        click.echo(f"verdicts and figures  {folder}")
    return 0 if passed else 1


def _tell(verdict: Verdict, as_json: bool, lines: Iterable[str]) -> None:
    if as_json:
        click.echo(json.dumps(verdict.as_plain()))
        return
    for line in lines:
        click.echo(line)
