"""Output of the commands: tables and progress, rich on a terminal and plain lines in a pipe.

Results go to standard output, progress and notes to standard error, so that a pipe or `--json` gets the result alone.
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from imgsearch.progress import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

PLAIN_EVERY_SECONDS = 5.0


def say(text: str) -> None:
    """Print a line of the result to standard output."""
    print(printable(text), flush=True)


def note(text: str) -> None:
    """Print a line about the work to standard error."""
    print(printable(text), file=sys.stderr, flush=True)


def say_json(value: object) -> None:
    """Print `value` as one JSON document, in ASCII and thus without control sequences."""
    say(json.dumps(value, indent=2))


def printable(text: str) -> str:
    """Return the text with control characters replaced by spaces, except line ends and tabs.

    File names, alt texts and URLs are untrusted: they must not control the terminal.
    """
    return "".join(character if character.isprintable() or character in "\n\t" else " " for character in text)


def say_table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Print a table: boxed on a terminal, tab-separated with a heading line in a pipe."""
    if not sys.stdout.isatty():
        for line in [columns, *lines]:
            say("\t".join(_one_line(cell) for cell in line))
        return
    from rich.console import Console  # rich is slow to import: only where a table is drawn
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    for line in lines:
        table.add_row(*(Text(_one_line(cell)) for cell in line))  # Text: markup in an alt text is not interpreted
    Console().print(table)


def say_reasons(reasons: Mapping[str, int]) -> None:
    """Print how often each reason occurred, most frequent first."""
    for reason, n in sorted(reasons.items(), key=lambda item: -item[1]):
        say(f"  {n:,} × {reason}")


def _one_line(cell: str) -> str:
    return printable(cell).replace("\n", " ").replace("\t", " ")


# ----------------------------------------------------------------------------------------------------------------------
# progress


@contextmanager
def tracking(label: str) -> Iterator[Progress]:
    """Show the progress of one piece of work on standard error."""
    if not sys.stderr.isatty():
        yield _LineDisplay(label)
        return
    from rich.console import Console  # rich is slow to import: only where a bar is drawn
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.fields[text]}"))
    with Bars(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bars:
        yield _BarDisplay(bars, label)


class _BarDisplay:
    """A bar that is redrawn in place."""

    def __init__(self, bars: "Bars", label: str) -> None:
        self._bars = bars
        self._task = bars.add_task(label, total=None, text="")

    def __call__(self, done: float, total: float | None, text: str = "") -> None:
        shown = text if total == 1 else _counted(done, total, text)  # the bar itself shows a share
        self._bars.update(self._task, completed=done, total=total, text=printable(shown))


class _LineDisplay:
    """One line every few seconds, for logs and pipes; work that ends sooner prints nothing."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._due = time.monotonic() + PLAIN_EVERY_SECONDS

    def __call__(self, done: float, total: float | None, text: str = "") -> None:
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + PLAIN_EVERY_SECONDS
            note(f"{self._label}: {_counted(done, total, text)}")


def _counted(done: float, total: float | None, text: str) -> str:
    """A share as a percentage, steps as numbers; the text alone where the end is unknown."""
    if total is None:
        return text or f"{done:,.0f}"
    share = f"{done:.0%}" if total == 1 else f"{done:,.0f} of {total:,.0f}"
    return f"{share}  {text}" if text else share


def readable_bytes(n_bytes: float) -> str:
    """1536 -> `1.5 kB`, in steps of 1,000."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} TB"


def readable_seconds(seconds: float) -> str:
    """95 -> `1 min 35 s`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
