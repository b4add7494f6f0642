"""Pages of reference written from the code itself: ``python -m stresslab.cli.reference FOLDER``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stresslab.core.declarations import first_line

if TYPE_CHECKING:
    from stresslab.core.declarations import Declaration, Parameter
    from stresslab.experiment.shapes import Shape

_WRITTEN = "Written by `make docs` from the code; do not edit.\n"


def pages() -> dict[str, str]:
    """Return every page of reference by the name of its file."""
    from stresslab.experiment.schema import json_schema

    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    return {
        "commands.md": commands_page(),
        "config.schema.json": schema + "\n",
        "events.md": events_page(),
        "graphs.md": graphs_page(),
        "outcomes.md": outcomes_page(),
        "parameters.md": parameters_page(),
        "parts.md": parts_page(),
    }


def commands_page() -> str:
    """Return the help of every command."""
    import click

    from stresslab.cli import commands

    parts = ["# Commands\n\n", _WRITTEN]
    for name, command in {"": commands, **dict(sorted(commands.commands.items()))}.items():
        title = f"stresslab {name}".strip()
        context = click.Context(command, info_name=title, terminal_width=90)
        parts.append(f"\n## {title}\n\n```text\n{command.get_help(context)}\n```\n")
    return "".join(parts)


def events_page() -> str:
    """Return the tables of an event log, column by column."""
    from stresslab.core.events import TABLES

    parts = ["# Events of a cell\n\n", _WRITTEN]
    for name, columns in TABLES.items():
        rows = ((f"`{c.name}`", c.type, c.description) for c in columns)
        parts.append(f"\n## `{name}`\n\n" + _table(("column", "type", "what"), rows))
    return "".join(parts)


def graphs_page() -> str:
    """Return what nodes and edges of every contagion graph carry."""
    from stresslab.contagion.graph import GRAPHS
    from stresslab.contagion.graph.attributes import ATTRIBUTES

    parts = ["# Contagion graphs of a cell\n\n", _WRITTEN]
    for name, graph in GRAPHS.items():
        rows = ((a.of, f"`{a.name}`", a.type, a.description) for a in ATTRIBUTES[name])
        parts.append(f"\n## `{name}`\n\n{first_line(graph)}\n\n")
        parts.append(_table(("of", "attribute", "type", "what"), rows))
    return "".join(parts)


def outcomes_page() -> str:
    """Return the measures that every cell is given."""
    from stresslab.contagion.measures import MEASURES

    rows = ((f"`{m.name}`", m.description, m.unit) for m in MEASURES.values())
    head = "Columns of `outcomes`, beside those of the design. Unit `1` is a fraction or ratio.\n"
    return f"# Outcomes of a cell\n\n{_WRITTEN}{head}\n" + _table(("outcome", "what", "unit"), rows)


def parameters_page() -> str:
    """Return all parameters of a config, one table for each object of it."""
    head = (
        "Paths are as in `--set`; `<name>` stands for a name that the config gives. A parameter\n"
        "without a default is required.\n"
    )
    parts = [f"# Parameters of a config\n\n{_WRITTEN}{head}"]
    for path, shape in _objects(_study(), ""):
        for kind, cls in (shape.kinds or {"": shape.options[0]}).items():
            parts.append(_section(path, kind, cls))
    return "".join(parts)


def parts_page() -> str:
    """Return the interchangeable parts."""
    head = f"# Interchangeable parts\n\n{_WRITTEN}\n"
    return head + _table(("where", "name", "what"), parts())


def parts() -> Iterator[tuple[str, str, str]]:
    """Yield (where, name, what) of every part that a config or a command can choose."""
    from stresslab.contagion.graph import GRAPHS
    from stresslab.report.figures import FIGURES

    for path, kind, cls in choices():
        yield path, kind, first_line(cls)
    for name, chart in FIGURES.items():
        yield "figure", name, chart.title
    for name, graph in GRAPHS.items():
        yield "graph", name, first_line(graph)


def choices() -> Iterator[tuple[str, str, type]]:
    """Yield (path, kind, class) of every interchangeable part that a config can choose."""
    for path, shape in _objects(_study(), ""):
        for kind, cls in (shape.kinds or {}).items():
            yield path, kind, cls


def _study() -> Shape:
    from stresslab.experiment.config import scenario_class
    from stresslab.experiment.shapes import Shape
    from stresslab.experiment.study import study_of

    return Shape(study_of(scenario_class()))


def _objects(shape: Shape, path: str) -> Iterator[tuple[str, Shape]]:
    """Yield every place of a config that holds a mapping of parameters, outermost first."""
    from stresslab.experiment.shapes import declared_parameters, shape_of

    if shape.container is not None:
        yield from _objects(shape.item, f"{path}.<name>" if shape.container is dict else path)
    elif shape.is_object:
        yield path, shape
        for cls in shape.kinds.values() if shape.kinds else [shape.options[0]]:
            for name, parameter in declared_parameters(cls).items():
                yield from _objects(shape_of(parameter), f"{path}.{name}" if path else name)


def _section(path: str, kind: str, cls: type) -> str:
    from stresslab.experiment.shapes import declared_parameters

    title = f"`{path or 'top level'}`" + (f", `kind: {kind}`" if kind else "")
    text = f"\n## {title}\n\n{first_line(cls)}\n"
    known = declared_parameters(cls)
    if not known:
        return text
    head = ("parameter", "what", "default", "allowed", "unit", "symbol")
    return f"{text}\n" + _table(head, map(_row, known.values()))


def _row(parameter: Parameter) -> tuple[str, ...]:
    known = parameter.declaration
    source = f" ({known.source})" if known.source else ""
    default = "" if parameter.is_required else f"`{_default(parameter)}`"
    what = known.description + source
    return f"`{parameter.name}`", what, default, _allowed(known), known.unit, known.symbol


def _default(parameter: Parameter) -> str:
    from stresslab.experiment.shapes import plain, shape_of

    shape = shape_of(parameter)
    value: Any = plain(parameter.default, shape)
    if shape.is_object and isinstance(value, dict):
        return str(value.get("kind", "as below"))
    return json.dumps(value, ensure_ascii=False)


def _allowed(known: Declaration) -> str:
    if known.choices or known.kinds:
        return ", ".join(f"`{name}`" for name in known.choices or known.kinds or ())
    signs = (("≥", known.ge), (">", known.gt), ("≤", known.le), ("<", known.lt))
    return ", ".join(f"{sign} {bound:,}" for sign, bound in signs if bound is not None)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    lines = [tuple(head), *(tuple(row) for row in rows)]
    lines.insert(1, ("---",) * len(lines[0]))
    return "".join(f"| {' | '.join(map(_escaped, row))} |\n" for row in lines)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def main(folder: str) -> None:
    """Write all pages into a folder."""
    for name, text in pages().items():
        path = Path(folder, name)
        path.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main(sys.argv[1])
