"""Turn SIGINT and SIGTERM into a flag that long-running loops poll, so that they stop at a safe point."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from imgsearch.cli.output import note


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns True after Ctrl-C or SIGTERM; a second signal interrupts at once."""
    received = threading.Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        if received.is_set():
            raise KeyboardInterrupt
        received.set()
        note("stopping; finished work is kept (again to interrupt at once)")

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
