"""From a run to its page: figures and tables into their folders, and ``report.html``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stresslab.core.errors import StorageError
from stresslab.report.html import Absent, Page, Picture, html
from stresslab.report.overview import run_tables
from stresslab.report.source import sources
from stresslab.report.studio import Drawn, Studio
from stresslab.results.run import Run


def render(
    run: Run, folder: Path, tell: Callable[[str], None] | None = None, workers: int = 1
) -> Path:
    """Draw all figures that a run carries and write tables and page; return the page.

    Parameters
    ----------
    run
        The results.
    folder
        Gets ``figures/``, ``tables/`` and ``report.html``.
    tell
        Hears about each figure, drawn or not.
    workers
        Processes that draw; with one, this process does.
    """
    tell = tell or (lambda line: None)
    found: dict[str, Drawn] = {}
    with _artists(run, folder, workers) as artists:
        tables = run_tables(run, folder / "tables")
        for name, drawn in artists.drawn():
            found[name] = drawn
            for one in drawn:
                tell(_line(one))
    ordered = [one for name in artists.names for one in found[name]]
    pictures = [one for one in ordered if isinstance(one, Picture)]
    absent = [(one.title, one.reason) for one in ordered if isinstance(one, Absent)]
    page = Page(_title(run), _lead(run), tables, pictures, absent)
    return _write(folder / "report.html", html(page))


class _Alone:
    """Draws in this process."""

    def __init__(self, run: Run, folder: Path) -> None:
        from stresslab.report.figures import FIGURES

        self.names = wanted(run) or list(FIGURES)
        self._run, self._folder = run, folder

    def drawn(self) -> Iterator[tuple[str, Drawn]]:
        from stresslab.report.drawing import draw_into

        designs = list(sources(self._run))
        for name in self.names:
            yield name, draw_into(designs, name, self._folder)


@contextmanager
def _artists(run: Run, folder: Path, workers: int) -> Iterator[_Alone | Studio]:
    if workers == 1:
        yield _Alone(run, folder)
    else:
        with Studio(run.path, folder, wanted(run), workers) as studio:
            yield studio


def wanted(run: Run) -> list[str]:
    """Return the figures that the config of a run names, none for all."""
    return list(run.study["report"]["figures"])


def _line(one: Picture | Absent) -> str:
    name = f"  {one.name}"
    return f"{name}: not drawn: {one.reason}" if isinstance(one, Absent) else name


def _write(path: Path, text: str) -> Path:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error}") from error
    return path


def _title(run: Run) -> str:
    return str(run.study["title"] or run.name)


def _lead(run: Run) -> str:
    return str(run.study["description"] or f"Results of the study {run.name}.")
