"""Commands about a run that lies on disk: its report, its graphs, whether it can be made again."""

from __future__ import annotations

from pathlib import Path

import click

#: Forms of a graph, checked before anything heavy is loaded.
FORMS = ("graphml", "gexf", "json", "parquet")
KINDS = (
    "bipartite", "liquidations", "tree", "assets", "accounts", "modes", "strategies", "exposures",
    "payers",
)  # fmt: skip

#: The folder of a run, shared by all commands about one.
folder = click.argument("run", type=click.Path())


@click.command(short_help="Draw figures and tables, write report.html.")
@folder
def report(run: str) -> None:
    """Draw the figures and tables of a run and write its report.html.

    \b
    Example:
      stresslab report runs/demo
    """
    from stresslab.api import open_run
    from stresslab.cli.headline import show_headlines

    opened = open_run(run)
    click.echo("drawing")
    page = opened.report(tell=click.echo)
    show_headlines(opened)
    click.echo(f"report   {page}")
    click.echo(f"figures  {opened.path / 'figures'}")
    click.echo(f"tables   {opened.path / 'tables'}")


@click.command(short_help="Write the contagion graph of one cell.")
@folder
@click.option("--cell", metavar="ID", required=True, help="Cell, by the beginning of its id.")
@click.option("--graph", "form", required=True, type=click.Choice(FORMS), help="Form of the file.")
@click.option("--kind", default=KINDS[0], show_default=True, type=click.Choice(KINDS))
@click.option("--out", type=click.Path(), help="File to write; default is in the run's graphs/.")
def export(run: str, cell: str, form: str, kind: str, out: str | None) -> None:
    """Write the contagion graph of one cell for other programs.

    bipartite: liquidation -> price move -> liquidation; liquidations: who made whom fall; tree:
    principal parents only; assets: whose losses sold whose asset; accounts, modes, strategies: the
    liquidations by these; exposures: who held what before the first step; payers: who paid for
    whose deficit. Parquet holds the edges as columns, of the bipartite graph those from liquidation
    to liquidation.

    \b
    Example:
      stresslab export runs/demo --cell 3f2a --graph graphml
    """
    from stresslab.api import open_run

    opened = open_run(run)
    click.echo(opened.export_graph(cell, form, kind, Path(out) if out else None))


@click.command(short_help="Make cells again and say equal or where they differ.")
@folder
@click.option(
    "--cell", "cells", metavar="ID", multiple=True, help="Beginning of a cell's id; default is all."
)
@click.option("--workers", type=click.IntRange(1), help="Processes; default is one per core.")
def reproduce(run: str, cells: tuple[str, ...], workers: int | None) -> int:
    """Make cells of a run again from their seeds, and say equal or where they differ.

    A cell that failed is equal if it fails again in the same way; its traceback is shown.

    \b
    Example:
      stresslab reproduce runs/demo --cell 3f2a
    """
    from stresslab.cli.progress import progress
    from stresslab.experiment.reproduction import reproduce as make_again
    from stresslab.experiment.runner import Options

    with progress() as shown:
        found = make_again(run, cells, Options(workers=workers, progress=shown))
    for cell in found:
        if cell.traceback:
            click.echo(cell.traceback, err=True)
        for difference in cell.differences:
            click.echo(f"{cell.cell}: {difference}")
    n_equal = sum(cell.is_equal for cell in found)
    click.echo(f"{n_equal:,} of {len(found):,} cells are equal, byte for byte")
    return 0 if n_equal == len(found) else 3
