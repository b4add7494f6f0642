"""Commands about what there is: configs, runs, interchangeable parts, the schema of a config."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

WHAT = ("configs", "runs", "parts", "venues")


@click.command(name="list", short_help="List configs, runs, parts or venues.")
@click.argument("what", required=False, type=click.Choice(WHAT))
def list_(what: str | None) -> None:
    """List the configs and runs of this folder, the parts and the venues a config may choose from.

    \b
    Example:
      stresslab list
      stresslab list parts
    """
    if what == "parts":
        _show("Parts", _parts())
        return
    if what in (None, "configs"):
        _show("Configs", _configs())
    if what in (None, "runs"):
        _show("Runs", _runs())
    if what in (None, "venues"):
        _show("Venues", _venues())


@click.command(short_help="Print the JSON Schema of a config.")
def schema() -> None:
    """Print the JSON Schema of a config, for editors and other programs.

    \b
    Example:
      stresslab schema > config.schema.json
    """
    import json

    from stresslab.experiment.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


def _show(title: str, rows: Iterator[tuple[str, str]]) -> None:
    found = list(rows)
    click.secho(title, bold=True)
    width = max((len(name) for name, _ in found), default=0)
    for name, text in found:
        click.echo(f"  {name:<{width}}  {text}".rstrip())
    if not found:
        click.echo("  none here")


def _configs() -> Iterator[tuple[str, str]]:
    """Yield the path and title of every study in the folder ``configs``."""
    from stresslab.experiment.documents import read_document

    for path in sorted(Path("configs").glob("*.yaml")):
        values = read_document(str(path)).value
        yield str(path), str(values.get("title", "")) if isinstance(values, dict) else "unreadable"


def _runs() -> Iterator[tuple[str, str]]:
    """Yield every folder of a run in ``runs`` and how many of its cells are stored."""
    import json

    for resolved in sorted(Path("runs").glob("*/resolved.json")):
        folder = resolved.parent
        try:
            n_cells = len(json.loads(resolved.read_bytes())["cells"])
        except (ValueError, KeyError, TypeError, OSError):
            yield str(folder), "unreadable; stresslab status says more"
            continue
        n_stored = sum(1 for _ in folder.glob("outcomes/*.json"))
        page = ", report.html" if (folder / "report.html").exists() else ""
        yield str(folder), f"{n_stored:,} of {n_cells:,} cells{page}"


def _venues() -> Iterator[tuple[str, str]]:
    from stresslab.experiment.venues import read_pack
    from stresslab.scenario import VENUES

    for name in VENUES:
        yield name, str(read_pack(name).value["title"])


def _parts() -> Iterator[tuple[str, str]]:
    from stresslab.cli.reference import parts

    for where, name, what in parts():
        yield f"{where}: {name}", what
