"""The Python interface: run a study, open a run, read everything that lies in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stresslab.core.errors import ConfigError
from stresslab.results import run as results

if TYPE_CHECKING:
    import networkx
    import polars as pl
    from matplotlib.figure import Figure

    from stresslab.analysis.importance import Importance
    from stresslab.calculator import MarginCheck
    from stresslab.contagion.projection import Contagion
    from stresslab.experiment.progress import Progress


#: Processes that draw a report: more would wait for the slowest figure.
MOST_ARTISTS = 4


def run(
    config: str | os.PathLike[str] | Mapping[str, Any],
    settings: Sequence[str] = (),
    *,
    out: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    small: bool = False,
    shard: str | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run every cell of a study that is not finished yet, and return its results.

    Parameters
    ----------
    config
        A config file, or the same content as a mapping.
    settings
        Overrides ``PATH=VALUE``; values are YAML.
    out
        Folder of the run, ``runs/<name>`` unless given.
    workers
        Worker processes, one per core unless given.
    small
        Run the quick form that the config declares.
    shard
        Run only part ``k/N`` of the cells, for job arrays; a run without it gathers them.
    progress
        Receives what happens; silent unless given.

    Raises
    ------
    ConfigError
        With every fault of the config.
    StorageError
        If results cannot be written; what is finished is kept.
    """
    from stresslab.experiment.config import read_config
    from stresslab.experiment.progress import Silent
    from stresslab.experiment.runner import Options, Shard, run_study

    study = read_config(config, settings, small=small)
    part = Shard.parse(shard) if shard else None
    options = Options(workers=workers, progress=progress or Silent(), shard=part)
    finished = run_study(study, out, options)
    return Run(finished.path)


def check_margin(*arguments: Any, **options: Any) -> MarginCheck:
    """Return margins, prices and steps of liquidation of a position on a venue.

    Arguments are those of :func:`stresslab.calculator.check_margin`.
    """
    from stresslab import calculator

    return calculator.check_margin(*arguments, **options)


def open_run(path: str | os.PathLike[str]) -> Run:
    """Open the folder of a run, finished or not."""
    return Run(path)


class Run(results.Run):
    """A study's results: ``design``, ``outcomes``, ``events``, ``graph``, ``figure``, ``report``.

    Cells are named by the beginning of their identity, which stands in the column ``cell`` of
    ``design`` and ``outcomes``.
    """

    def contagion(self, cell: str) -> Contagion:
        """Return the projections of one cell: trigger shares, trees, episodes, losses."""
        from stresslab.contagion.projection import Contagion

        return Contagion(self.tables(cell))

    def graph(self, cell: str, kind: str = "bipartite") -> networkx.DiGraph:
        """Return a contagion graph of one cell.

        Parameters
        ----------
        cell
            Beginning of the cell's identity.
        kind
            ``bipartite`` (liquidation -> price move -> liquidation), ``liquidations``, ``tree``,
            ``assets``, ``accounts``, ``modes``, ``strategies``, ``exposures`` or ``payers``.
        """
        from stresslab.contagion.graph import GRAPHS

        if kind not in GRAPHS:
            raise ConfigError(f"graph: {kind!r} is unknown, allowed are {', '.join(GRAPHS)}")
        return GRAPHS[kind](self.contagion(cell))

    def figure(self, name: str) -> Figure:
        """Return one figure as matplotlib draws it; ``stresslab list parts`` names them."""
        from stresslab import report

        return report.figure(self, name)

    def headline(self) -> dict[str, pl.DataFrame]:
        """Return the headline of every design in long form.

        A row is a point, a ``quantity`` (share of accounts liquidated, probability that
        liquidation crossed into an unshocked asset, paired difference of the share) and the arm or
        contrast it is ``of``; ``low`` and ``high`` are the 95 % interval.
        """
        from stresslab import report

        return report.headlines(self)

    def importance(
        self,
        cell: str,
        top: int = 10,
        workers: int = 1,
        *,
        replicates: int = 1,
        tell: Callable[[str], None] | None = None,
    ) -> Importance:
        """Leave the largest accounts, every asset and some rules out of a cell, one by one.

        With more ``replicates``, of the next ones of its arm and point too. See
        :func:`stresslab.experiment.importance.leave_out` and
        :mod:`stresslab.analysis.importance`.
        """
        from stresslab.analysis.importance import importance
        from stresslab.experiment.importance import leave_out, replicates_of

        cells = replicates_of(self, cell, replicates)
        return importance(leave_out(self, cells, top, workers, tell))

    def keep_importance(self, found: Importance) -> list[Path]:
        """Write tables and figure of :meth:`importance` to the folder ``importance`` of the run."""
        from stresslab import report

        return report.keep_importance(self, found.cell, *found[1:])

    def report(self, tell: Callable[[str], None] | None = None) -> Path:
        """Draw all figures and tables into the folder of the run; return its ``report.html``.

        ``tell`` hears about each figure, drawn or not.
        """
        from stresslab import report
        from stresslab.experiment.runner import available_cores

        return report.render(self, tell=tell, workers=min(available_cores(), MOST_ARTISTS))

    def export_graph(
        self, cell: str, form: str, kind: str = "bipartite", out: Path | None = None
    ) -> Path:
        """Write a contagion graph and return where; forms are those of ``stresslab export``."""
        from stresslab.results.files import make_folder, write_whole

        is_table = form == "parquet" and kind in ("bipartite", "liquidations")
        name = f"{self.find(cell)}-{'edges' if is_table else kind}.{form}"
        path = out or self.folder.path / "graphs" / name
        make_folder(path.parent)
        is_text = form != "parquet"
        write_whole(path, self._text(cell, form, kind) if is_text else self._edges(cell, kind))
        return path

    def _text(self, cell: str, form: str, kind: str) -> bytes:
        from stresslab.contagion.graph import write

        return write(self.graph(cell, kind), form).encode()

    def _edges(self, cell: str, kind: str) -> bytes:
        import polars as pl

        from stresslab.contagion.graph import edge_columns, graph_columns
        from stresslab.results.frames import parquet_bytes

        if kind in ("bipartite", "liquidations"):
            return parquet_bytes(pl.DataFrame(edge_columns(self.contagion(cell))))
        return parquet_bytes(pl.DataFrame(graph_columns(self.graph(cell, kind))))
