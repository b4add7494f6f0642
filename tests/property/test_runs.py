"""A run gives the same bytes however many workers it has and however often it is stopped."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from stresslab.core.errors import (
    ConfigError,
    DamagedResultsError,
    StorageError,
    StresslabError,
)
from stresslab.experiment.reproduction import reproduce
from stresslab.experiment.runner import Options, Shard, run_study
from stresslab.results.files import sha256
from stresslab.results.lock import locked
from stresslab.results.long_tables import pack_long
from stresslab.results.records import pack_record
from stresslab.results.run import Run
from tests import toy_simulation
from tests.toy_study import (
    FALL,
    SIMULATION,
    Told,
    config,
    contents,
    run,
    study,
    wait_until,
    workers_of,
)

#: A parent of its own, so that it can be killed: runs the toy study into the folder it is given.
PARENT = """
import sys
from pathlib import Path
from tests.toy_study import run, study
values = study(tuple(f / 100 for f in range(1, 31)))
values["scenario"]["duration_seconds"] = float(sys.argv[2])
run(Path(sys.argv[1]), values, workers=2)
"""


def _start_parent(out: Path, milliseconds: float) -> subprocess.Popen[bytes]:
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, "-c", PARENT, str(out), str(milliseconds)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)


def _kill(parent: subprocess.Popen[bytes]) -> None:
    """Kill a parent and see its two workers die."""
    workers = workers_of(parent.pid)
    assert len(workers) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), seconds=5)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the bytes of the toy study, run by one worker without any trouble."""
    out = tmp_path_factory.mktemp("reference")
    finished = run(out, workers=1)
    assert finished.status().done == 8
    assert finished.outcomes["loss_usd"].n_unique() == 4  # 2 falls x 2 replicates
    assert len(finished.with_events()) == 4  # one replicate of each point and arm
    return contents(out)


def test_workers_do_not_matter(reference: dict[str, bytes], tmp_path: Path) -> None:
    run(tmp_path, workers=2)
    assert contents(tmp_path) == reference


def test_shards_make_the_same_run(reference: dict[str, bytes], tmp_path: Path) -> None:
    for number in (2, 1):
        run(tmp_path, workers=1, shard=Shard(number, 2))
    told = Told()
    run(tmp_path, progress=told)
    assert (told.total, told.finished_before) == (8, 8)
    assert contents(tmp_path) == reference


def test_an_interrupted_run_goes_on(reference: dict[str, bytes], tmp_path: Path) -> None:
    class Interrupting(Told):
        def cell(self, failed: bool) -> None:
            super().cell(failed)
            if len(self.cells) == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, workers=2, progress=Interrupting())
    assert workers_of(os.getpid()) == []
    stopped = Run(tmp_path)
    assert stopped.outcomes["loss_usd"].drop_nulls().len() >= 3
    assert stopped.status().missing > 0
    told = Told()
    run(tmp_path, workers=2, progress=told)
    assert 3 <= told.finished_before < 8
    assert contents(tmp_path) == reference


def test_a_killed_parent_takes_its_workers_along_amid_a_cell(tmp_path: Path) -> None:
    parent = _start_parent(tmp_path, milliseconds=60_000)
    wait_until(lambda: list(tmp_path.glob("started-*")) and len(workers_of(parent.pid)) == 2)
    _kill(parent)
    assert list(tmp_path.glob("outcomes/*")) == []


def test_the_keyboard_ends_a_run_amid_a_cell(tmp_path: Path) -> None:
    parent = _start_parent(tmp_path, milliseconds=60_000)
    wait_until(lambda: list(tmp_path.glob("started-*")) and len(workers_of(parent.pid)) == 2)
    workers = workers_of(parent.pid)
    parent.send_signal(signal.SIGINT)
    assert parent.wait(timeout=20) == -signal.SIGINT
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert not list(tmp_path.rglob("*.part"))


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "killed"
    parent = _start_parent(out, milliseconds=20)
    wait_until(lambda: len(list(out.glob("outcomes/*.json"))) >= 5)
    _kill(parent)
    values = study(tuple(f / 100 for f in range(1, 31)))
    before = {path: path.stat().st_mtime_ns for path in out.glob("outcomes/*.json")}
    told = Told()
    run(out, values, workers=2, progress=told)
    assert 5 <= told.finished_before == len(before) < 120
    assert {path: path.stat().st_mtime_ns for path in before} == before
    run(tmp_path / "whole", values, workers=2)
    assert contents(out) == contents(tmp_path / "whole")


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    told = Told()
    values = study((0.1, toy_simulation.DIES_ONCE))
    finished = run(tmp_path, values, workers=2, progress=told)
    assert len(list(tmp_path.glob("died-*"))) == 4
    assert finished.status().done == 8
    assert told.cells == [False] * 8


def test_a_cell_that_kills_its_worker_is_a_row(tmp_path: Path) -> None:
    told = Told()
    finished = run(tmp_path, study((0.1, toy_simulation.DIES)), workers=2, progress=told)
    status = finished.status()
    assert (status.done, status.failed, sorted(told.cells)) == (4, 4, [False] * 4 + [True] * 4)
    failure = status.failures[0]
    assert failure.error_type == "WorkerDied"
    assert "SIGKILL" in failure.error
    assert len(told.notes) == 4


def test_a_failed_cell_is_a_row(tmp_path: Path) -> None:
    finished = run(tmp_path, study((0.1, toy_simulation.RAISES)), workers=2)
    status = finished.status()
    assert (status.done, status.failed, status.is_complete) == (4, 4, True)
    failed = finished.outcomes.filter(pl.col("status") == "failed")
    assert failed["fall"].to_list() == [toy_simulation.RAISES] * 4
    assert failed["error"].to_list() == ["no market at a fall of 0.66"] * 4
    assert failed["loss_usd"].null_count() == 4
    failure = status.failures[0]
    assert failure.command == f"stresslab reproduce {tmp_path} --cell {failure.cell}"
    (again,) = reproduce(tmp_path, [failure.cell], Options(simulation=SIMULATION))
    assert again.is_equal
    assert "ValueError: no market" in again.traceback


def test_failed_cells_are_tried_again(tmp_path: Path) -> None:
    values = study((toy_simulation.RAISES,))
    run(tmp_path, values, workers=1)
    told = Told()
    run(tmp_path, values, workers=1, progress=told)
    assert (told.finished_before, told.cells) == (0, [True] * 4)


def test_a_design_that_grows_computes_what_is_missing(tmp_path: Path) -> None:
    run(tmp_path, study((0.1, 0.3)), workers=1)
    told = Told()
    run(tmp_path, study((0.05, 0.1, 0.3)), workers=1, progress=told)
    assert (told.total, told.finished_before, len(told.cells)) == (12, 8, 4)


def test_equal_cells_of_two_designs_are_run_once(tmp_path: Path) -> None:
    values = study((0.1, 0.2))
    values["designs"]["again"] = {"replicates": 1, "arms": {"unchanged": {}}}  # fall 0.2, cross
    told = Told()
    finished = run(tmp_path, values, workers=1, progress=told)
    assert (told.total, finished.design.height) == (8, 9)
    assert finished.outcomes["status"].to_list() == ["done"] * 9


def test_events_are_added_when_more_are_asked_for(tmp_path: Path) -> None:
    run(tmp_path, study((0.1,)), workers=1)
    told = Told()
    finished = run(tmp_path, study((0.1,), record={"events": "all"}), workers=1, progress=told)
    assert (told.finished_before, len(told.cells)) == (2, 2)
    assert finished.with_events() == finished.cells


@pytest.mark.parametrize("part", ["events", "long", "record"])
def test_damage_is_noticed_and_mended(
    reference: dict[str, bytes], tmp_path: Path, part: str
) -> None:
    finished = run(tmp_path, workers=2)
    kept = finished.with_events()[0]
    path = getattr(finished.folder, part)(kept)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedResultsError, match=f"{path.name} is damaged"):
        finished.status()
    told = Told()
    run(tmp_path, workers=1, progress=told)
    assert (len(told.cells), len(told.notes)) == (1, 1)
    assert path.name in told.notes[0]
    assert contents(tmp_path) == reference


def test_a_damaged_table_is_refused(tmp_path: Path) -> None:
    finished = run(tmp_path, workers=1)
    finished.folder.outcomes.write_bytes(b"PAR1")
    with pytest.raises(DamagedResultsError, match=r"outcomes\.parquet is damaged"):
        _ = finished.outcomes


def test_making_again_says_equal_or_where_it_differs(tmp_path: Path) -> None:
    finished = run(tmp_path, workers=2)
    options = Options(simulation=SIMULATION, workers=2)
    assert [made.differences for made in reproduce(tmp_path, options=options)] == [()] * 8
    cell = finished.cells[0]
    record = finished.record(cell)
    outcomes = {**record.outcomes, "n_liquidations": 51}
    forged = pack_record(type(record)(cell, record.status, outcomes, record.events_sha256))
    finished.folder.record(cell).write_bytes(forged)
    (made,) = reproduce(tmp_path, [cell[:8]], options)
    assert made.differences == ("outcome n_liquidations: stored 51, made again 50",)


@pytest.mark.parametrize("part", ["events", "long"])
def test_a_damaged_file_is_not_called_equal(tmp_path: Path, part: str) -> None:
    """Its record vouches for what is made again, not for what lies there."""
    finished = run(tmp_path, study((0.1,)), workers=1)
    kept = finished.with_events()[0]
    path = getattr(finished.folder, part)(kept)
    path.write_bytes(path.read_bytes()[:-1])
    (made,) = reproduce(tmp_path, [kept], Options(simulation=SIMULATION, workers=1))
    (difference,) = made.differences
    assert f"{path.name} is damaged" in difference


def test_long_tables_are_kept_for_every_cell_and_made_again_with_it(tmp_path: Path) -> None:
    finished = run(tmp_path, workers=2)
    sizes = finished.long("sizes")
    assert sizes.columns == ["cell", "size", "mode"]
    assert sizes["cell"].to_list() == [cell for cell in finished.cells for _ in range(3)]
    assert sizes["size"].n_unique() == 3 * 2  # the toy draws by replicate alone
    assert finished.long("sizes", [finished.cells[1][:6]]).height == 3
    cell = finished.cells[0]
    record = finished.record(cell)
    forged = pack_long({"sizes": {"size": np.zeros(3), "mode": toy_simulation.MODES}})
    finished.folder.store(replace(record, long_sha256=sha256(forged)), long=forged)
    (made,) = reproduce(tmp_path, [cell], Options(simulation=SIMULATION, workers=1))
    assert len(made.differences) == 1
    assert made.differences[0].startswith("table sizes: row 0, column size: stored 0.0, made")


def test_an_unknown_long_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'trees' is unknown, allowed are sizes"):
        run(tmp_path, study((0.1,)), workers=1).long("trees")


def test_a_run_without_long_tables_says_so_and_gets_them(
    reference: dict[str, bytes], tmp_path: Path
) -> None:
    finished = run(tmp_path, workers=1)
    for record in finished.records():
        finished.folder.store(replace(record, long_sha256=""))
        finished.folder.long(record.cell).unlink()
    assert finished.status().done == 8
    with pytest.raises(ConfigError, match=r"was made before long tables were kept; run the study"):
        finished.long("sizes")
    made = reproduce(tmp_path, options=Options(simulation=SIMULATION, workers=1))
    assert all(again.is_equal for again in made)
    told = Told()
    run(tmp_path, workers=1, progress=told)
    assert told.finished_before == 0
    assert told.notes == ["8 cells were made before long tables were kept; they are run again"]
    assert contents(tmp_path) == reference


def test_a_cell_is_found_by_its_identity_or_its_beginning(tmp_path: Path) -> None:
    finished = run(tmp_path, study((0.1,)), workers=1)
    last = finished.cells[-1]
    assert last != finished.cells[0]
    assert finished.find(last) == finished.find(last[:10]) == last
    with pytest.raises(ConfigError, match=r"no cell of .* begins with 'xyz'"):
        finished.find("xyz")


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        locked(tmp_path),
        pytest.raises(ConfigError, match=f"in use by another run .process {os.getpid()}"),
    ):
        run(tmp_path)
    assert run(tmp_path, study((0.1,)), workers=1).status().is_complete


def test_a_folder_keeps_to_its_study(tmp_path: Path) -> None:
    run(tmp_path, study((0.1,)), workers=1)
    with pytest.raises(ConfigError, match="holds the study 'toy', not 'other'"):
        run(tmp_path, study((0.1,), name="other"))


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    """The limit on the size of files stands for the end of the disk; workers inherit it."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"cannot write .*File too large; what is finished"):
            run(tmp_path, study((0.1,)), workers=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert workers_of(os.getpid()) == []
    assert run(tmp_path, study((0.1,)), workers=1).status().done == 4


def test_a_worker_that_cannot_start_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(StresslabError, match=r"could not start: .*No module named 'nowhere'"):
        run_study(config(), tmp_path, Options(simulation="nowhere:simulate", workers=2))


def test_points_are_columns_named_by_the_end_of_their_path(tmp_path: Path) -> None:
    finished = run(tmp_path, workers=2)
    assert finished.resolved["columns"] == {"fall": FALL}
    assert finished.design["fall"].to_list() == [0.1] * 4 + [0.3] * 4
