"""The command line. Heavy imports stand inside the commands: ``--help`` must be instant."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from stresslab import __version__
from stresslab.cli.catalogue import list_, schema
from stresslab.cli.criticality import criticality
from stresslab.cli.events import hawkes
from stresslab.cli.importance import importance
from stresslab.cli.results import export, report, reproduce
from stresslab.cli.study import check, run, status
from stresslab.cli.validate import validate
from stresslab.cli.venues import margin, venue
from stresslab.cli.whatif import whatif
from stresslab.core.errors import StresslabError

#: Exit codes, shown by ``--help``: DamagedResultsError and ConfigError carry 3 and 2.
INTERRUPTED = 130


@click.group(
    name="stresslab",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 some cells failed, 2 config or usage, 3 stored results damaged, "
    "130 interrupted.",
)
@click.version_option(__version__, prog_name="stresslab")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def commands(debug: bool) -> None:
    """Liquidation cascades when leveraged traders share collateral or silo it.

    \b
    Example:
      stresslab check configs/demo.yaml
      stresslab run configs/demo.yaml
      stresslab report runs/demo
    """


for command in (
    check,
    run,
    status,
    report,
    reproduce,
    export,
    list_,
    schema,
    validate,
    hawkes,
    criticality,
    whatif,
    importance,
    venue,
    margin,
):
    commands.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors become one message on stderr."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = commands.main(given, prog_name="stresslab", standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; the same command goes on where it stopped", err=True)
        return INTERRUPTED
    except Exception as error:
        if "--debug" in given:
            raise
        return _explain(error, given)
    return code if isinstance(code, int) else 0


def _explain(error: Exception, given: list[str]) -> int:
    if isinstance(error, click.ClickException):
        error.show()
        return 2
    if isinstance(error, StresslabError):
        click.echo(str(error), err=True)
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        sys.stderr.close()
        return 0
    again = " ".join(["stresslab", "--debug", *given])
    click.echo(f"unexpected {type(error).__name__}: {error}", err=True)
    click.echo(f"This is a fault of stresslab; its traceback: {again}", err=True)
    return 1
