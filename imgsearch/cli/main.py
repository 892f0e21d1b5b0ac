"""Entry point of the command line: parse, run one command, report a failure.

The only place that exits: 0 success, 1 a failure that the user can resolve (one line on standard error), 2 wrong usage,
130 interrupted.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from imgsearch import __version__
from imgsearch.cli.advice import with_advice
from imgsearch.cli.commands.add import add
from imgsearch.cli.commands.app import app as page
from imgsearch.cli.commands.compact import compact
from imgsearch.cli.commands.crawl import crawl
from imgsearch.cli.commands.demo import demo
from imgsearch.cli.commands.evaluate import evaluate
from imgsearch.cli.commands.finetune import finetune
from imgsearch.cli.commands.lab import lab
from imgsearch.cli.commands.reindex import reindex
from imgsearch.cli.commands.remove import remove
from imgsearch.cli.commands.search import search
from imgsearch.cli.commands.status import status
from imgsearch.cli.commands.train import train
from imgsearch.cli.commands.why import why
from imgsearch.cli.grammar import PROGRAM, UsageError, add_command, app, command_line
from imgsearch.cli.output import note
from imgsearch.errors import ImgSearchError

DEBUG_VARIABLE = "IMGSEARCH_DEBUG"
WRONG_USAGE, INTERRUPTED = 2, 130

for body in (demo, crawl, add, train, finetune, reindex, search, evaluate, status, why, remove, compact, lab, page):
    add_command(body)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def options_before_the_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar=DEBUG_VARIABLE, help="Print the traceback of every failure.")
    ] = False,
) -> None:
    """Options before the command; `run` reads `debug` from the context."""


def main(argv: Sequence[str] | None = None) -> None:
    """Console script `imgsearch`."""
    # Threads that spin while they wait make training ten times slower on a machine that does other work as well.
    # Read when torch is loaded, which no import above does.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(line: Sequence[str]) -> int:
    """Run one command line, as typed after `imgsearch`, and return its exit code."""
    try:
        context = command_line().make_context(PROGRAM, list(line))
    except typer.Exit as finished:
        return finished.exit_code
    except typer.TyperException as error:
        return _show_usage(error)
    from crawler.errors import CrawlerError  # with the commands: `--help` needs neither

    debug = bool(context.params["debug"])
    try:
        with context:
            context.command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as finished:
        return finished.exit_code
    except typer.TyperException as error:
        return _show_usage(error)
    except UsageError as error:
        note(f"{PROGRAM}: {error}\nTry '{PROGRAM} {context.invoked_subcommand} --help' for help.")
        return WRONG_USAGE
    except (ImgSearchError, CrawlerError) as error:
        return _failed(with_advice(error), debug=debug)
    except BrokenPipeError:
        # The reader (`head`, say) has read enough. Without this, Python complains when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # not expected anywhere: a disk that fills while a table is written, a descriptor limit
        place = f": {error.filename}" if error.filename else ""
        return _failed(f"unexpected error of the operating system: {error.strerror or error}{place}", debug=debug)
    except KeyboardInterrupt:
        note(f"{PROGRAM}: interrupted")
        return INTERRUPTED
    return 0


def _show_usage(error: typer.TyperException) -> int:
    show = getattr(error, "show", None)  # typer documents it for wrong usage, but declares it in a private class
    if show is not None:
        show()
    else:
        note(f"{PROGRAM}: {error}")
    return error.exit_code


def _failed(message: str, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    note(f"{PROGRAM}: {message}")
    return 1
