"""The command that runs the counterfactual twin of a cell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from stresslab.core.errors import ConfigError

if TYPE_CHECKING:
    from stresslab.contagion.twins import Comparison
    from stresslab.experiment.twins import Twins

MOST_SHOWN = 10  # accounts in each list
_MICRO = 1_000_000
_CENT = 0.005  # USD; less is printed as nothing
_MODES = {"isolated": "make_isolated", "cross": "make_cross"}


@click.command(short_help="Run a cell again with one thing changed: who is saved, who pays.")
@click.argument("run", type=click.Path())
@click.option("--cell", metavar="ID", required=True, help="Cell, by the beginning of its id.")
@click.option("--remove", multiple=True, metavar="account:ID", help="Take an account out.")
@click.option("--mode-of", multiple=True, metavar="account:ID=MODE", help="isolated or cross.")
@click.option("--without", multiple=True, type=click.Choice(["stop_orders"]))
@click.option("--quiet", multiple=True, metavar="ASSET", help="Let its forced sales move no price.")
@click.option("--no-feedback", is_flag=True, help="Let forced orders move no price.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Change a rule.")
@click.option("--from-step", type=click.IntRange(1), help="First step of the change; default: all.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def whatif(
    run: str,
    cell: str,
    remove: tuple[str, ...],
    mode_of: tuple[str, ...],
    without: tuple[str, ...],
    quiet: tuple[str, ...],
    no_feedback: bool,
    settings: tuple[str, ...],
    from_step: int | None,
    as_json: bool,
) -> None:
    """Run the counterfactual twin of a cell and say where the two part.

    The twin has the same people and the same luck, prices are free to differ. An account that is
    taken out hands its positions and its money to `external`. Told are the first event that
    differs, who is saved, who falls instead, and who ends better or worse off. From a step on a
    rule may change too, unless it shaped what has happened by then, as a shock or a mark did.

    \b
    Example:
      stresslab whatif runs/demo --cell 3f2a --remove account:17
      stresslab whatif runs/demo --cell 3f2a --no-feedback --from-step 80
      stresslab whatif runs/demo --cell 3f2a --set scenario.liquidation.adl=false --from-step 80
    """
    from stresslab.api import open_run
    from stresslab.contagion.twins import compare
    from stresslab.experiment.twins import Changes, run_twins

    changed: dict[str, Any] = {
        "remove": [_account(text, "--remove") for text in remove],
        **_modes(mode_of),
        "without_stop_orders": bool(without),
        "quiet_assets": list(quiet),
        "feedback": "no_feedback" if no_feedback else None,
        "from_step": from_step,
    }
    changed = {name: value for name, value in changed.items() if value}
    if not settings and set(changed) <= {"from_step"}:
        click.echo("nothing is changed; the twin must equal the original", err=True)
    twins = run_twins(open_run(run), cell, Changes(changed, settings))
    found = compare(twins.original, twins.twin)
    gone = frozenset(changed.get("remove", []))
    if as_json:
        click.echo(json.dumps(_plain(twins, found, gone), indent=2))
        return
    for line in _lines(twins, found, gone):
        click.echo(line)


def _account(text: str, option: str) -> int:
    kind, _, name = text.partition(":")
    if kind != "account" or not name.isdigit():
        raise ConfigError(f"{option}: found {text!r}; expected account:ID, such as account:17")
    return int(name)


def _modes(texts: tuple[str, ...]) -> dict[str, list[int]]:
    chosen: dict[str, list[int]] = {}
    for text in texts:
        account, _, mode = text.partition("=")
        if mode not in _MODES:
            raise ConfigError(
                f"--mode-of: found {text!r}; expected account:ID=isolated or account:ID=cross"
            )
        chosen.setdefault(_MODES[mode], []).append(_account(account, "--mode-of"))
    return chosen


def _plain(twins: Twins, found: Comparison, gone: frozenset[int]) -> dict[str, Any]:
    pairs = zip(found.payers.account.tolist(), found.payers.micro_usd.tolist(), strict=True)
    return {
        "cell": twins.cell,
        "first_difference": found.parting._asdict() if found.parting else None,
        "saved": [n for n in found.saved.tolist() if n not in gone],
        "felled": found.felled.tolist(),
        "removed_and_liquidated_before": sorted(gone & set(found.saved.tolist())),
        "saved_notional_usd": found.saved_notional_micro_usd / _MICRO,
        "change_of_final_equity_usd": {str(n): v / _MICRO for n, v in pairs if v and n not in gone},
        "change_of_house_usd": {k: v / _MICRO for k, v in _house(found, gone).items()},
    }


def _house(found: Comparison, gone: frozenset[int]) -> dict[str, int]:
    """Return changes of the house; what `external` took over from those removed is no gain."""
    pairs = zip(found.payers.account.tolist(), found.payers.micro_usd.tolist(), strict=True)
    lost = sum(value for account, value in pairs if account in gone)
    return {**found.payers.house, "external": found.payers.house["external"] + lost}


def _lines(twins: Twins, found: Comparison, gone: frozenset[int]) -> Iterator[str]:
    if found.parting is None:
        yield f"cell {twins.cell}: the twin is equal, event for event"
        return
    plain = _plain(twins, found, gone)
    yield f"cell {twins.cell}: the twins part in step {found.parting.step}, {found.parting.table}"
    assets = twins.original["assets"]["name"].tolist()
    yield f"  original  {_event(found.parting.original, assets)}"
    yield f"  twin      {_event(found.parting.twin, assets)}"
    yield f"saved     {_accounts(plain['saved'])}"
    yield f"felled    {_accounts(plain['felled'])}"
    if plain["removed_and_liquidated_before"]:
        n_gone = len(plain["removed_and_liquidated_before"])
        yield f"          of those removed, {_accounts_in_words(n_gone)} liquidated in the original"
    yield f"forced notional {_signed(-plain['saved_notional_usd'], 0)} USD against the original"
    yield "final equity against the original, USD"
    changes = list(plain["change_of_final_equity_usd"].items())
    shown = [(name, value) for name, value in changes[:MOST_SHOWN] if abs(value) >= _CENT]
    for name, value in shown:
        yield f"  account {name:>9} {_signed(value):>16}"
    rest = sum(value for _, value in changes[len(shown) :])
    yield f"  all other accounts {_signed(rest):>14}"
    for name, value in plain["change_of_house_usd"].items():
        yield f"  {name:<17} {_signed(value):>16}"


def _accounts(ids: list[int]) -> str:
    shown = ", ".join(map(str, ids[:MOST_SHOWN]))
    more = f" and {len(ids) - MOST_SHOWN} more" if len(ids) > MOST_SHOWN else ""
    return f"{len(ids)} account{'' if len(ids) == 1 else 's'}{': ' if ids else ''}{shown}{more}"


def _accounts_in_words(count: int) -> str:
    return f"{count} was" if count == 1 else f"{count} were"


def _event(row: dict[str, Any] | None, assets: list[str]) -> str:
    """Say a row of an event table: assets by name, money in USD."""
    if row is None:
        return "has no such event"
    told = {name: value for name, value in row.items() if name != "asset" or value >= 0}
    return ", ".join(_field(name, value, assets) for name, value in told.items())


def _field(name: str, value: Any, assets: list[str]) -> str:
    words = name.removesuffix("_micro_usd").replace("_", " ")
    if name == "asset":
        return f"{words} {assets[value]}"
    return (
        f"{words} {value / _MICRO:,.2f} USD" if name.endswith("_micro_usd") else f"{words} {value}"
    )


def _signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign; what rounds to zero has none that misleads."""
    return f"{round(value, digits) + 0.0:+,.{digits}f}"
