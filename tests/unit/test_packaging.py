"""Locks, metadata and versions say one thing."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import stresslab

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def _pins(lock: str) -> set[tuple[str, str, str]]:
    """Return (name, version, marker) of every pin."""
    text = (ROOT / lock).read_text()
    pins = re.findall(r"^([a-z0-9-]+)==(\S+)(?: ; (.*?))? \\$", text, re.M)
    return {(name, version, marker) for name, version, marker in pins}


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_host_and_no_place_on_a_machine(lock: str) -> None:
    text = (ROOT / lock).read_text()

    assert len(_pins(lock)) > 30
    assert not re.search(r"https?:|file:|--index|--extra-index|--find-links|--trusted| /", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes(lock: str) -> None:
    blocks = re.split(r"^(?=[a-z])", (ROOT / lock).read_text(), flags=re.M)[1:]

    assert len(blocks) == len(_pins(lock))
    assert all("--hash=sha256:" in block for block in blocks)


def test_both_locks_pin_shared_packages_alike() -> None:
    users, developers = (_pins(lock) for lock in LOCKS)
    shared = {name for name, _, _ in users} & {name for name, _, _ in developers}

    assert len(shared) > 30
    for name in shared:
        assert {p for p in users if p[0] == name} == {p for p in developers if p[0] == name}


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["install"],
    ]
    names = {re.match(r"[\w.-]+", text).group().lower() for text in wanted}  # type: ignore[union-attr]
    pinned = {name for name, _, _ in _pins("requirements.lock")}

    assert len(names) > 10
    assert {re.sub(r"[._]", "-", name) for name in names} <= pinned


def test_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    citation = (ROOT / "CITATION.cff").read_text()

    assert project["project"]["version"] == stresslab.__version__
    assert f"\nversion: {stresslab.__version__}\n" in citation
