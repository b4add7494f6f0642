"""Commands about a study on its way: check its config, run it, see how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from stresslab.experiment.designs import PlannedDesign
    from stresslab.results.run import Status

#: Failures that are shown one by one.
MOST_FAILURES = 10

#: Shared by ``check`` and ``run``.
config = click.argument("config", type=click.Path())
settings = click.option(
    "--set",
    "settings",
    metavar="PATH=VALUE",
    multiple=True,
    help="Override one value; the value is YAML. May be given several times.",
)
small = click.option(
    "--small", is_flag=True, help="The quick form that the config itself declares."
)


@click.command(short_help="Say what a config would run, or all that is wrong with it.")
@config
@settings
@small
def check(config: str, settings: tuple[str, ...], small: bool) -> None:
    """Check a config and say what it would run, or everything that is wrong with it.

    \b
    Example:
      stresslab check configs/demo.yaml
      stresslab check configs/demo.yaml --set scenario.duration_seconds=300
    """
    from stresslab.core.collecting import uncollected

    with uncollected():
        from stresslab.experiment.config import read_config

        study = read_config(config, settings, small=small)
    click.echo(f"{config}: sound, runs as {study.name}")
    for design in study.designs:
        click.echo(f"  {_describe(design)}")
    if len(study.designs) > 1:
        click.echo("  a cell that stands in several designs runs once")


def _describe(design: PlannedDesign) -> str:
    n_cells = len(design.points) * len(design.arms) * len(design.controls) * design.replicates
    arms = ", ".join(arm.name for arm in design.arms)
    controls = ", ".join(control.name for control in design.controls)
    return (
        f"{design.name}: {n_cells:,} cells = {len(design.points)} points x "
        f"{len(design.arms)} arms ({arms}) x {len(design.controls)} controls ({controls}) x "
        f"{design.replicates} replicates"
    )


@click.command(short_help="Run a study; goes on where it was stopped.")
@config
@settings
@small
@click.option("--workers", type=click.IntRange(1), help="Processes; default is one per core.")
@click.option("--out", type=click.Path(), help="Folder of the run; default is runs/<name>.")
@click.option(
    "--shard", metavar="K/N", help="Run part K of N only, for job arrays; a run without it gathers."
)
def run(
    config: str,
    settings: tuple[str, ...],
    small: bool,
    workers: int | None,
    out: str | None,
    shard: str | None,
) -> int:
    """Run a study; the same command goes on where an earlier one was stopped.

    \b
    Example:
      stresslab run configs/demo.yaml
      stresslab run configs/demo.yaml --workers 2 --set seed=7 --out runs/seed7
    """
    from stresslab import api
    from stresslab.cli.progress import progress

    with progress() as shown:
        finished = api.run(
            config, settings, out=out, workers=workers, small=small, shard=shard, progress=shown
        )
    state = finished.status()
    _show_status(str(finished.path), state)
    click.echo(f"next: stresslab report {finished.path}")
    return 1 if state.failed else 0


@click.command(short_help="Say how far a run is and what failed.")
@click.argument("run", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def status(run: str, as_json: bool) -> None:
    """Say how far a run is and what failed, after checking every stored cell.

    \b
    Example:
      stresslab status runs/demo
      stresslab status runs/demo --json
    """
    import json

    from stresslab.results.run import Run

    state = Run(run).status()
    if as_json:
        click.echo(json.dumps(state.to_dict(), indent=2))
    else:
        _show_status(run, state)


def _show_status(run: str, state: Status) -> None:
    click.echo(f"{run}: {state.done:,} of {state.total:,} cells done", nl=False)
    click.echo(f", {state.failed:,} failed, {state.missing:,} to come")
    for failure in state.failures[:MOST_FAILURES]:
        click.echo(f"  {failure.cell}: {failure.error_type}: {failure.error}")
        click.echo(f"    {failure.command}")
    if len(state.failures) > MOST_FAILURES:
        click.echo(f"  and {len(state.failures) - MOST_FAILURES:,} more; --json lists all")
