"""Every bad config of the corpus is refused with the message that lies beside it.

A config ``NAME.yaml`` in ``tests/data/bad_configs`` has one thing wrong with it (``many_faults``
has many) and its message in ``NAME.txt``; a first line ``# check ARGUMENTS`` holds more arguments.
After a deliberate change of wording: ``python tests/contract/test_bad_configs.py`` writes the
messages anew and prints what changed.
"""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import resource
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stresslab.cli import main
from stresslab.experiment.config import read_config

FOLDER = Path(__file__).parents[1] / "data" / "bad_configs"
SOUND = "sound"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != SOUND)
MOST_SECONDS = 0.5


def _arguments(name: str) -> list[str]:
    first_line = (FOLDER / f"{name}.yaml").read_bytes().partition(b"\n")[0]
    marker = b"# check "
    more = first_line.removeprefix(marker).decode() if first_line.startswith(marker) else ""
    return ["check", f"{name}.yaml", *shlex.split(more)]


def _check(name: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(FOLDER), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(_arguments(name))
    return code, out.getvalue(), err.getvalue()


def _seconds(name: str) -> float:
    """Return the processor's time of a check; other tests' garbage may be collected in one."""
    started = time.process_time()
    _check(name)
    return time.process_time() - started


def test_there_are_enough() -> None:
    assert len(NAMES) >= 60
    assert read_config(FOLDER / f"{SOUND}.yaml").name == SOUND


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_config_is_refused_in_words(name: str) -> None:
    code, out, err = _check(name)
    assert (code, out) == (2, "")
    assert err == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert min(_seconds(name) for _ in range(2)) < MOST_SECONDS


@pytest.mark.parametrize("name", ["many_faults", "text_alias_bomb", "data_bars_with_a_hole"])
def test_the_whole_command_is_quick(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "stresslab.cli", *_arguments(name)]
    paths = os.pathsep.join([str(FOLDER.parents[2]), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, cwd=FOLDER, env=environment, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert used < MOST_SECONDS  # of the processor: others may be using the machine


def _refresh() -> None:
    for name in NAMES:
        file = FOLDER / f"{name}.txt"
        was = file.read_text(encoding="utf-8") if file.exists() else ""
        _, _, now = _check(name)
        sys.stdout.writelines(
            difflib.unified_diff(was.splitlines(True), now.splitlines(True), name)
        )
        file.write_text(now, encoding="utf-8")


if __name__ == "__main__":
    _refresh()
