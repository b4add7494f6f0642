"""The command that says what cascades to expect of a config, and holds it against simulation."""

from __future__ import annotations

import json
from pathlib import Path

import click

SIZES = "0.02,0.05,0.1,0.2,0.3,0.4"


@click.command(short_help="Predict the cascades of a config and hold them against simulated ones.")
@click.argument("config", type=click.Path())
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a value.")
@click.option("--assets", metavar="A,B", help="Assets that fall; default: of the first shock.")
@click.option("--sizes", default=SIZES, show_default=True, help="Falls of the index, fractions.")
@click.option("--replicates", type=click.IntRange(1), default=3, show_default=True)
@click.option("--bisect", type=float, metavar="WIDTH", help="Find the critical shock to this.")
@click.option("--theory", "is_theory", is_flag=True, help="Predict only, simulate nothing.")
@click.option("--workers", type=click.IntRange(1), help="Processes; default: one per core.")
@click.option("--out", type=click.Path(), help="Folder; default runs/NAME_criticality.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def criticality(
    config: str,
    settings: tuple[str, ...],
    assets: str | None,
    sizes: str,
    replicates: int,
    bisect: float | None,
    is_theory: bool,
    workers: int | None,
    out: str | None,
    as_json: bool,
) -> int:
    """Say from first positions, margin rules and impact which shocks cascade, then simulate them.

    Theory tells the liquidation map, the next-generation matrix and its spectral radius, and the
    critical shock; a sweep of shock sizes over the same people tells what happens. The index stands
    still but for the shock. Both go into one figure, predicted against observed.

    \b
    Example:
      stresslab criticality configs/demo.yaml
      stresslab criticality configs/demo.yaml --assets BTC,ETH --bisect 0.01
      stresslab criticality configs/demo.yaml --theory --json
    """
    from stresslab.cli.progress import progress
    from stresslab.experiment.config import read_config
    from stresslab.report import criticality as report
    from stresslab.validation.criticality import Sweep, compare, forecast

    study = read_config(config, settings)
    named = tuple(assets.split(",")) if assets else ()
    sweep = Sweep(study, _fractions(sizes), replicates, named)
    folder = Path(out) if out else Path("runs") / f"{study.name}_criticality"
    ahead, found = forecast(sweep), None
    if not is_theory:
        with progress() as shown:
            found = compare(sweep, folder, workers=workers, progress=shown, tolerance=bisect)
    told = report.plain(sweep, ahead, found)
    report.write(folder, told, found)
    if as_json:
        click.echo(json.dumps(told))
        return 0
    for line in report.show(sweep, ahead, found):
        click.echo(line)
    click.echo(f"numbers and figure  {folder}")
    return 0


def _fractions(text: str) -> tuple[float, ...]:
    try:
        return tuple(sorted({float(part) for part in text.split(",")}))
    except ValueError as error:
        raise click.UsageError(f"--sizes: {text!r} is no list of numbers") from error
