"""Ctrl-C and SIGTERM as a question that long work asks itself, so that it ends where nothing is lost."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from imgsearch.cli.output import note


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
    """Yield a question that Ctrl-C and SIGTERM answer with yes; a second Ctrl-C interrupts at once."""
    asked = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        note("stopping; what is done is kept (again to interrupt at once)")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
