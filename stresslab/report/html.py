"""One page that opens offline: figures embedded, captions, tables, what failed and what is absent.

The page refers to nothing on a network and runs no script; links to files beside it are relative.
It holds no date and no path of a machine, so the same results give the same bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape


@dataclass(frozen=True)
class Picture:
    """A figure on the page: the bytes of its SVG, and the files beside the page it stands for."""

    name: str
    title: str
    caption: str
    svg: bytes
    files: Sequence[str] = ()


@dataclass(frozen=True)
class Absent:
    """A figure that the run does not carry, and why."""

    name: str
    title: str
    reason: str


@dataclass(frozen=True)
class Table:
    """A table on the page, already HTML."""

    name: str
    title: str
    html: str
    caption: str = ""


@dataclass(frozen=True)
class Page:
    """Everything that the page shows, in order."""

    title: str
    lead: str
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    absent: Sequence[tuple[str, str]] = field(default=())  # title of a figure, why it is not there


def html(page: Page) -> str:
    """Return the whole page."""
    parts = [
        f"<h1>{escape(page.title)}</h1>",
        f"<p class='lead'>{escape(page.lead)}</p>",
        _contents(page),
        *(_table(t) for t in page.tables),
        *(_picture(place, p) for place, p in enumerate(page.pictures, 1)),
        _absent(page.absent),
    ]
    body = "\n".join(part for part in parts if part)
    return _FRAME.format(title=escape(page.title), style=_STYLE, body=body)


def _contents(page: Page) -> str:
    entries: list[Table | Picture] = [*page.tables, *page.pictures]
    links = "".join(f"<li><a href='#{escape(e.name)}'>{escape(e.title)}</a></li>" for e in entries)
    return f"<nav aria-label='Contents'><ul>{links}</ul></nav>" if entries else ""


def _table(table: Table) -> str:
    caption = f"<p class='caption'>{escape(table.caption)}</p>" if table.caption else ""
    name, title = escape(table.name), escape(table.title)
    return f"<section id='{name}'><h2>{title}</h2>{table.html}{caption}</section>"


def _picture(place: int, picture: Picture) -> str:
    name, title = escape(picture.name), escape(picture.title)
    data = base64.b64encode(picture.svg).decode("ascii")
    files = " · ".join(_link(file) for file in picture.files)
    return (
        f"<section id='{name}'><h2>{title}</h2><figure>\n"
        f"<img alt='{title}' src='data:image/svg+xml;base64,{data}'>\n"
        f"<figcaption><b>Figure {place}.</b> {escape(picture.caption)}"
        f"<span class='files'>{files}</span></figcaption></figure></section>"
    )


def _link(file: str) -> str:
    return f"<a href='{escape(file)}'>{escape(file.rsplit('/', 1)[-1])}</a>"


def _absent(absent: Sequence[tuple[str, str]]) -> str:
    if not absent:
        return ""
    rows = "".join(f"<li><b>{escape(title)}</b>: {escape(why)}</li>" for title, why in absent)
    return f"<section id='absent'><h2>Figures not drawn</h2><ul>{rows}</ul></section>"


_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body><main>
{body}
</main></body>
</html>
"""

_STYLE = """
body { margin: 0; background: #fff; color: #1a1a1a;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; }
.lead { color: #444; max-width: 46rem; }
nav ul { columns: 16rem; padding-left: 1.1rem; font-size: .92rem; }
a { color: #00508a; }
figure { margin: 0; }
img { display: block; width: 100%; height: auto; }
figcaption, .caption, .note { color: #444; font-size: .88rem; max-width: 52rem; }
figcaption { margin-top: .6rem; }
.files { display: block; margin-top: .3rem; font-size: .82rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .55rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid #ddd; }
th { border-bottom: 2px solid #888; max-width: 14rem; font-weight: 600; }
td { white-space: nowrap; }
td.long { white-space: normal; min-width: 18rem; }
td.number { text-align: right; }
@media print { main { max-width: none; padding: 0; } section { break-inside: avoid; } }
"""
