"""The command line's one way in and out: parse, carry out one command, answer a mistake.

The only place that exits: 0 done, 1 a failure that the user can mend (one line on standard error), 2 wrong usage,
130 interrupted.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence

from imgsearch.cli.advice import with_advice
from imgsearch.cli.output import note
from imgsearch.cli.parser import build_parser
from imgsearch.errors import ImgSearchError


def main(argv: Sequence[str] | None = None) -> None:
    """The console script `imgsearch`."""
    # Threads that spin while they wait make training ten times slower on a machine that does other work as well.
    # Read when torch is loaded, which no import above does.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(line: Sequence[str]) -> int:
    """Carry out one command line and return its exit code; a wrong one exits with 2 as argparse does."""
    arguments = build_parser().parse_args(line)
    from crawler.errors import CrawlerError  # with the commands: `--help` needs neither

    try:
        carry_out(arguments)
        sys.stdout.flush()
    except (ImgSearchError, CrawlerError) as error:
        note(f"imgsearch: {with_advice(error)}")
        return 1
    except BrokenPipeError:
        # The reader (`head`, say) has what it wanted. Without this, Python complains when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # What no seam expected: a disk that fills while a table is written, a descriptor limit.
        note(f"imgsearch: {error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        return 1
    except KeyboardInterrupt:
        note("imgsearch: interrupted")
        return 130
    return 0


def carry_out(arguments: Namespace) -> None:
    """Run the command that was parsed."""
    from imgsearch.cli import commands
    from imgsearch.cli import demo as tour

    if arguments.command == "demo":
        tour.demo(arguments, type_in=lambda line: carry_out(build_parser().parse_args(line)))
    else:
        commands.COMMANDS[arguments.command](arguments)
