"""Pages of reference written from the declarations: every parameter of a config, every part."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stresslab.core.declarations import Declaration, Parameter
    from stresslab.experiment.shapes import Shape

_HEAD = """# Parameters of a config

Written by `make docs` from the declarations in the code; do not edit. Paths are as in `--set`;
`<name>` stands for a name that the config gives. A parameter without a default is required.
"""

_TABLE = """
| parameter | what | default | allowed | unit | symbol |
|---|---|---|---|---|---|
"""


def choices() -> Iterator[tuple[str, str, type]]:
    """Yield (path, kind, class) of every interchangeable part that a config can choose."""
    for path, shape in _objects(_study(), ""):
        for kind, cls in (shape.kinds or {}).items():
            yield path, kind, cls


def parameter_page() -> str:
    """Return the page of all parameters in Markdown: one table for each object of a config."""
    parts = [_HEAD]
    for path, shape in _objects(_study(), ""):
        kinds = shape.kinds or {"": shape.options[0]}
        for kind, cls in kinds.items():
            parts.append(_section(path, kind, cls))
    return "".join(parts)


def first_line(documented: type | Callable[..., Any]) -> str:
    """Return what something says of itself; a class without words stands for its module."""
    text = (documented.__doc__ or "").strip()
    if not text or text.startswith(f"{documented.__name__}("):
        text = (sys.modules[documented.__module__].__doc__ or "").strip()
    return text.partition("\n")[0]


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
        classes = shape.kinds.values() if shape.kinds else [shape.options[0]]
        for cls in classes:
            for name, parameter in declared_parameters(cls).items():
                yield from _objects(shape_of(parameter), f"{path}.{name}" if path else name)


def _section(path: str, kind: str, cls: type) -> str:
    from stresslab.experiment.shapes import declared_parameters

    title = f"`{path or 'top level'}`" + (f", `kind: {kind}`" if kind else "")
    rows = "".join(_row(p) for p in declared_parameters(cls).values())
    return f"\n## {title}\n\n{first_line(cls)}\n{_TABLE + rows if rows else ''}"


def _row(parameter: Parameter) -> str:
    known = parameter.declaration
    source = f" ({known.source})" if known.source else ""
    default = "" if parameter.is_required else f"`{_plain(parameter)}`"
    columns = (
        f"`{parameter.name}`",
        known.description + source,
        default,
        _allowed(known),
        known.unit,
        known.symbol,
    )
    return "| " + " | ".join(c.replace("|", "\\|") for c in columns) + " |\n"


def _plain(parameter: Parameter) -> str:
    import json

    from stresslab.experiment.shapes import plain, shape_of

    shape = shape_of(parameter)
    value: Any = plain(parameter.default, shape)
    if shape.is_object and isinstance(value, dict):
        return str(value.get("kind", "as below"))
    return json.dumps(value, ensure_ascii=False)


def _allowed(known: Declaration) -> str:
    if known.choices:
        return ", ".join(f"`{choice}`" for choice in known.choices)
    if known.kinds:
        return ", ".join(f"`{kind}`" for kind in known.kinds)
    signs = (("≥", known.ge), (">", known.gt), ("≤", known.le), ("<", known.lt))
    return ", ".join(f"{sign} {bound:,}" for sign, bound in signs if bound is not None)
