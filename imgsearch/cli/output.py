"""What the commands say: tables and progress, rich on a terminal and plain lines in a pipe.

Progress goes to standard error, answers go to standard output, so that a pipe or `--json` gets the answer alone.
Knows nothing of images or codes.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress

PLAIN_EVERY_SECONDS = 5.0


def say(text: str) -> None:
    """Print one line of the answer."""
    print(printable(text), flush=True)


def note(text: str) -> None:
    """Print one line about the work, beside the answer."""
    print(printable(text), file=sys.stderr, flush=True)


def say_json(value: object) -> None:
    """Print `value` as one JSON document (in ASCII, which no terminal takes for an order)."""
    say(json.dumps(value, indent=2))


def printable(text: str) -> str:
    """Text without control characters, line ends and tabs apart.

    File names, alt texts and URLs come from strangers: they must not move the cursor or give the terminal orders.
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
        table.add_row(*(Text(_one_line(cell)) for cell in line))  # Text: markup in a stranger's alt text stays text
    Console().print(table)


def _one_line(cell: str) -> str:
    return printable(cell).replace("\n", " ").replace("\t", " ")


# ----------------------------------------------------------------------------------------------------------------------
# progress


class Tracker(Protocol):
    """How a piece of work tells how far it is."""

    def count(self, done: int, total: int | None) -> None:
        """`done` of `total` things are done."""

    def fraction(self, done: float, text: str) -> None:
        """A share `done` of the work, 0 to 1, is done; `text` says more."""

    def text(self, text: str) -> None:
        """Say `text`, where the end is not known."""


@contextmanager
def tracking(label: str) -> Iterator[Tracker]:
    """Show the progress of one piece of work on standard error."""
    if not sys.stderr.isatty():
        yield _PlainTracker(label)
        return
    from rich.console import Console  # rich is slow to import: only where a bar is drawn
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.fields[text]}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
        yield _BarTracker(progress, label)


class _BarTracker:
    """A bar that is redrawn in place."""

    def __init__(self, progress: "Progress", label: str) -> None:
        self._progress = progress
        self._task = progress.add_task(label, total=None, text="")

    def count(self, done: int, total: int | None) -> None:
        text = f"{done:,} of {total:,}" if total is not None else f"{done:,}"
        self._progress.update(self._task, completed=done, total=total, text=text)

    def fraction(self, done: float, text: str) -> None:
        self._progress.update(self._task, completed=done, total=1.0, text=text)

    def text(self, text: str) -> None:
        self._progress.update(self._task, text=text)


class _PlainTracker:
    """One line every few seconds, for logs and pipes; work that is over sooner says nothing."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._due = time.monotonic() + PLAIN_EVERY_SECONDS

    def count(self, done: int, total: int | None) -> None:
        self._line(f"{done:,} of {total:,}" if total is not None else f"{done:,}")

    def fraction(self, done: float, text: str) -> None:
        self._line(f"{done:.0%}  {text}")

    def text(self, text: str) -> None:
        self._line(text)

    def _line(self, text: str) -> None:
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + PLAIN_EVERY_SECONDS
            note(f"{self._label}: {text}")


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
