"""Commands about venues: the rules of one in words, the margin of a position there."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from stresslab.calculator.check import MarginCheck

WIDTH = 80
MOST_STEPS = 8


@click.command(short_help="Print the rules of a venue in words.")
@click.argument("name")
@click.option("--asset", help="Print the leverage table of this asset whole.")
def venue(name: str, asset: str | None) -> None:
    """Print the rules of a venue in words, stage by stage, with parameters and sources.

    \b
    Example:
      stresslab venue hyperliquid
      stresslab venue binance --asset BTC
    """
    from stresslab.cli.venue_words import lines

    for line in lines(name, asset):
        click.echo(line)


@click.command(short_help="Margin, liquidation price and steps of a position on a venue.")
@click.option("--venue", required=True, help="Venue; `stresslab list venues` names them.")
@click.option("--side", required=True, help="long or short.")
@click.option("--qty", required=True, metavar="NUMBER", help="Base units, without sign.")
@click.option("--entry", required=True, metavar="USD", help="Entry price.")
@click.option("--leverage", required=True, metavar="X", help="Leverage the trader chose.")
@click.option("--mark", metavar="USD", help="Mark price; default: the entry price.")
@click.option("--asset", default="BTC", show_default=True, help="Whose leverage table holds.")
@click.option("--mode", help="isolated or cross; default: cross with --cross, else isolated.")
@click.option("--wallet", metavar="USD", help="Margin set aside, or the wallet when cross.")
@click.option("--cross", metavar="FILE", help="YAML file with the rest of a cross account.")
@click.option("--tick", metavar="USD", help="Price step; default: six digits of the price.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def margin(
    venue: str, side: str, qty: str, entry: str, leverage: str, mark: str | None, asset: str,
    mode: str | None, wallet: str | None, cross: str | None, tick: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Print margins, liquidation and bankruptcy price, and the steps of liquidation.

    The liquidation price is the first tick at which the engine itself finds the pool in breach.
    Steps are those of an engine in which the mark stays there and orders fill at the mark.

    \b
    Example:
      stresslab margin --venue binance --side long --qty 1 --entry 60000 --leverage 20
      stresslab margin --venue okx --side short --qty 10 --entry 3000 --leverage 10 \\
        --asset ETH --cross positions.yaml
    """
    from stresslab.calculator import check_margin, read_holdings
    from stresslab.core.compiled import interpreted

    others = read_holdings(cross) if cross else None
    with interpreted():  # one account: nothing is worth compiling
        found = check_margin(
            venue, side, qty, entry, leverage, mark=mark, asset=asset, tick=tick,
            mode=mode or ("cross" if cross else "isolated"), wallet=wallet, others=others,
        )  # fmt: skip
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2))
        return
    for line in _lines(found):
        click.echo(line)


def _lines(it: MarginCheck) -> Iterator[str]:
    yield (
        f"{it.side} {it.quantity:,g} {it.asset} at {it.entry:,g} USD on {it.venue}, {it.mode}, "
        f"{it.leverage:g} x"
    )
    pool = "of the position" if it.mode == "isolated" else "of the account"
    rows = [
        ("mark price", _price(it.mark, it), f"notional {it.notional:,.2f} USD"),
        ("initial margin", f"{it.initial_margin:,.2f}", "of the position"),
        ("maintenance margin", f"{it.maintenance_margin:,.2f}", pool),
        ("equity", f"{it.equity:,.2f}", f"{pool}; {_ratio(it)}"),
        ("liquidation price", _price(it.liquidation_price, it), _distance(it)),
        ("shown by the venue", _price(it.displayed_liquidation_price, it), "by its own formula"),
        ("bankruptcy price", _price(it.bankruptcy_price, it), "where the equity is used up"),
    ]
    for what, value, note in rows:
        yield f"  {what:<19} {value:>18} USD  {note}"
    yield from _steps(it)


def _price(value: float | None, it: MarginCheck) -> str:
    if value is None:
        return "none"
    places = max(0, len(f"{it.tick:.12f}".rstrip("0").partition(".")[2]))
    return f"{value:,.{places}f}"


def _ratio(it: MarginCheck) -> str:
    if it.is_in_breach:
        return "IN BREACH"
    return f"{it.maintenance_margin / it.equity:.1%} are needed"


def _distance(it: MarginCheck) -> str:
    if it.liquidation_price is None:
        return "no price liquidates it"
    return f"{it.liquidation_price / it.mark - 1:+.2%} from the mark"


def _steps(it: MarginCheck) -> Iterator[str]:
    if not it.steps:
        return
    yield "at the liquidation price"
    for number, step in enumerate(it.steps[:MOST_STEPS], start=1):
        price = f"{step.price:,.10g}"
        text = (
            f"{number}. after {step.after_seconds:g} s: {step.order} {step.quantity:,g} "
            f"{step.asset} at {price}, {_charges(step)}; {step.left:,g} left"
        )
        yield from textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="     ")
    if len(it.steps) > MOST_STEPS:
        last = it.steps[-1]
        more = len(it.steps) - MOST_STEPS
        yield f"  ... {more} more, until {last.left:,g} {last.asset} are left"


def _charges(step: Any) -> str:
    if step.penalty < 0:
        return f"fund pays {-step.penalty:,.2f}"
    return f"fee {step.fee:,.2f}, to the fund {step.penalty:,.2f}"
