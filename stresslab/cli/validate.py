"""Commands that hold the model against what was known before."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from stresslab.validation.experiment import Size
    from stresslab.validation.ladder import Verdict

FOLDER = Path("runs") / "validation"
_WORKERS = min(2, os.cpu_count() or 1)


@click.command(short_help="Hold the model against published results and closed forms.")
@click.argument("names", nargs=-1, metavar="[NAME ...]")
@click.option("--quick", is_flag=True, help="Draw less: a minute in all.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdicts as JSON, one a line.")
@click.option("--out", type=click.Path(), help=f"Folder of JSON and figures; default {FOLDER}.")
@click.option("--workers", type=click.IntRange(1), default=_WORKERS, show_default="at most 2",
              help="Processes side by side.")  # fmt: skip
@click.option("--page", type=click.Path(dir_okay=False),
              help="Run nothing: write the verdicts of the last run to a page.")  # fmt: skip
@click.option("--shock", type=float, help="firesale-eba: fall of government bonds.")
@click.option("--impact", type=float, help="firesale-eba: fall of a price when 5 % are sold.")
@click.option("--buffer", type=float, help="firesale-eba: equity over assets to sell below.")
@click.option("--steps", type=int, help="firesale-eba: steps of the run.")
@click.option("--endowments", type=click.Path(dir_okay=False),
              help="oct10: table of winners, with equity_usd and profit_usd.")  # fmt: skip
def validate(
    names: tuple[str, ...], quick: bool, as_json: bool, out: str | None, workers: int,
    page: str | None, **setting: float | str | None,
) -> int:  # fmt: skip
    """Run published results, closed forms and peers' numbers as ordinary experiments.

    Prints what was measured and expected, the tolerance and the verdict; writes one JSON file and
    one figure for each experiment (with --quick a PNG alone); exits with 1 if one fails. Without
    names all are run. The line before the last is the family-wise level: the chance, at most, that
    a right model fails a check under any seed.

    With a setting of your own an experiment that takes it is run there once, and what it comes to
    is printed; nothing is judged or written.

    \b
    Example:
      stresslab validate --quick
      stresslab validate borel cross-isolated
      stresslab validate firesale-eba --shock 0.17 --impact 0.03 --buffer 0.05 --steps 10
    """
    given = {name: value for name, value in setting.items() if value is not None}
    if given:
        return _run_point(names, given, as_json)
    from stresslab.validation.experiment import Size

    folder = Path(out) if out else FOLDER
    if page is not None:
        from stresslab.report.verdict_page import write_page

        write_page(folder, Path(page))
        click.echo(f"verdicts  {page}")
        return 0
    return _run(names, Size.QUICK if quick else Size.FULL, as_json, folder, workers)


def _run(names: tuple[str, ...], size: Size, as_json: bool, folder: Path, workers: int) -> int:
    from stresslab.report.verdicts import show, write
    from stresslab.validation.ladder import climb, family_wise_level
    from stresslab.validation.levels import MOST_FALSE_ALARMS, outside_band

    verdicts = []
    for verdict in climb(names, size, workers):
        write(verdict, folder)
        _tell(verdict, as_json, show(verdict))
        verdicts.append(verdict)
    level = family_wise_level(verdicts)
    if not as_json:
        n_passed = sum(verdict.passed for verdict in verdicts)
        click.echo(f"verdicts and figures  {folder}")
        click.echo(f"passed  {n_passed} of {len(verdicts)}")
        outside, n = outside_band([c for verdict in verdicts for c in verdict.of_all_seeds])
        click.echo(f"family-wise level, all seeds  {level:.2g} (at most {MOST_FALSE_ALARMS:g})")
        click.echo(f"outside their 99.9 % band  {outside} of {n} drawn numbers")
    passed = all(verdict.passed for verdict in verdicts) and level <= MOST_FALSE_ALARMS
    return 0 if passed else 1


def _run_point(names: tuple[str, ...], given: dict[str, float | str], as_json: bool) -> int:
    """Run one experiment at a setting of the user's own and print what it comes to."""
    from stresslab.core.errors import ConfigError
    from stresslab.validation.experiments import experiment

    owner = "oct10" if "endowments" in given else "firesale-eba"
    chosen = [experiment(name) for name in names]
    if (
        len(chosen) != 1
        or chosen[0].point is None
        or chosen[0].name != owner
        or ("endowments" in given and len(given) > 1)
    ):
        told = ", ".join(f"--{name}" for name in given)
        raise ConfigError(f"validate: {told}: only of the experiment {owner}; name it alone")
    found = chosen[0].point(**given)
    if as_json:
        click.echo(json.dumps(dict(found)))
        return 0
    width = max(20, *map(len, found))
    for name, value in found.items():
        click.echo(f"{name:{width}} {value:.12g}")
    return 0


def _tell(verdict: Verdict, as_json: bool, lines: Iterable[str]) -> None:
    if as_json:
        click.echo(json.dumps(verdict.as_plain()))
        return
    for line in lines:
        click.echo(line)
