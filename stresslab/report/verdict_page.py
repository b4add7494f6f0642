"""The page of all verdicts: one table of experiments, then one of checks for each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stresslab.core.errors import ConfigError
from stresslab.results.files import storage_errors, write_whole
from stresslab.validation.experiments import EXPERIMENTS
from stresslab.validation.levels import MOST_FALSE_ALARMS

_HEAD = """\
# What is held against what was known before

Written by `make verdicts` from the last run of `stresslab validate`; do not edit. The size tells
whether an experiment was run in full or in its quick form, which draws less.

Each experiment runs a published result, a closed form or a peer's numbers through the public
config schema. It must pass under four seeds that derive from its name, and its negative control,
the same with one thing made wrong, must fail. Pages tell claim, source, set-up, figure and what
would falsify it. What levels and powers are, and why they are as they are:
[levels of the ladder](../decisions/levels-of-the-ladder.md).
"""


def write_page(folder: Path, page: Path) -> None:
    """Write the verdicts that lie in a folder to a page.

    Raises
    ------
    ConfigError
        If there is none.
    """
    missing = [name for name in EXPERIMENTS if not (folder / f"{name}.json").exists()]
    verdicts = [_read(folder, name) for name in EXPERIMENTS if name not in missing]
    if not verdicts:
        raise ConfigError(f"{folder}: there are no verdicts; run `stresslab validate` first")
    text = "\n".join((_HEAD, *_summary(verdicts), *_missing(missing), *_details(verdicts)))
    with storage_errors(page.parent):
        page.parent.mkdir(parents=True, exist_ok=True)
        write_whole(page, text.encode())


def _read(folder: Path, name: str) -> dict[str, Any]:
    verdict: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    return verdict


def _missing(names: Sequence[str]) -> Iterator[str]:
    if names:
        told = ", ".join(f"[{name}]({name}.md)" for name in names)
        yield f"Not run when this page was written: {told}.\n"


def _summary(verdicts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "| experiment | what is shown | size | checks passed | seeds passed | control | verdict |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for verdict in verdicts:
        name, checks = verdict["name"], verdict["checks"]
        n_passed = sum(check["verdict"] == "pass" for check in checks)
        further = [seed["verdict"] == "pass" for seed in verdict["further_seeds"]]
        seeds = [n_passed == len(checks), *further]
        control = "fails, as it must" if verdict["control"]["failed"] else "passes"
        judged = verdict["judged"]
        yield (
            f"| [{name}]({name}.md) | {verdict['title']} | {verdict['size']} | "
            f"{n_passed} of {len(checks)} | "
            f"{sum(seeds)} of {len(seeds)} | {control if judged else 'none'} | "
            f"{verdict['verdict'] if judged else 'report'} |"
        )
    judged = [verdict for verdict in verdicts if verdict["judged"]]
    level = sum(verdict["level_of_all_seeds"] for verdict in judged)
    outside = sum(verdict["outside_their_99.9_%_band"] for verdict in judged)
    drawn = sum(verdict["drawn_numbers"] for verdict in judged)
    yield f"\nThe levels of all checks under all seeds add up to {level:.2g}: the chance, at most,"
    yield "that a right model fails any of them under any seed."
    yield f"At most {MOST_FALSE_ALARMS:g} is allowed."
    yield f"Outside their 99.9 % band lie {outside} of {drawn} drawn numbers, all seeds."
    yield f"A right model comes to {drawn / 1000:.2g} on average.\n"


def _details(verdicts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for verdict in verdicts:
        yield f"## {verdict['name']}\n"
        yield f"{verdict['claim']}\n"
        if verdict["checks"]:
            yield from _checks(verdict["checks"])
        if verdict["distances"]:
            yield from _distances(verdict["distances"])
        yield from _elsewhere(verdict)
        failing = ", ".join(check["what"] for check in verdict["control"]["checks"][:3])
        if failing:
            yield f"Control, {verdict['control']['is']}: fails, first in {failing}.\n"


def _checks(checks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "| check | measured | expected | tolerance | level | p | power | verdict |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for check in checks:
        cells = (
            _plain(check["what"]),
            f"{check['measured']:.10g} {check['unit']}".rstrip(),
            f"{check['expected']:.10g}",
            f"{check['tolerance']:.3g}",
            f"{check['level']:.2g}" if check["level"] else "exact",
            "" if check["p"] is None else f"{check['p']:.2g}",
            check["power"],
            check["verdict"],
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _elsewhere(verdict: Mapping[str, Any]) -> Iterator[str]:
    """Yield what failed under further seeds, and what lies outside its band under any."""
    for number, seed in enumerate(verdict["further_seeds"], start=1):
        for check in seed["failed"]:
            yield f"Fails under further seed {number}: {_held(check)}.\n"
    for check in verdict["outside"]:
        told = f"{check['under']}, {_held(check)}, p {check['p']:.2g}"
        yield f"Outside its 99.9 % band: {told}.\n"


def _held(check: Mapping[str, Any]) -> str:
    measured = f"{check['measured']:.10g} {check['unit']}".rstrip()
    return (
        f"{_plain(check['what'])} {measured} against {check['expected']:.10g} ± "
        f"{check['tolerance']:.3g}"
    )


def _distances(distances: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "| fact | measured | band | distance in bands |"
    yield "| --- | --- | --- | --- |"
    for d in distances:
        cells = (
            _plain(d["what"]),
            f"{d['measured']:.4g} {d['unit']}".rstrip() + _between(d.get("interval")),
            f"{d['low']:.4g} to {d['high']:.4g}",
            f"{d['distance']:.2g}",
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _between(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f" [{interval[0]:.4g}, {interval[1]:.4g}]"


def _plain(text: str) -> str:
    return text.replace("|", "\\|")
