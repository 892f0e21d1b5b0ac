"""Wait for a condition instead of for a time."""

import subprocess
import time
from collections.abc import Callable
from typing import Any

POLL_SECONDS = 0.005


def wait_until(
    happened: Callable[[], bool], *, process: subprocess.Popen[Any] | None = None, seconds: float = 20.0
) -> None:
    """Return as soon as `happened()`; fail after so many seconds, or where `process` ends before."""
    ends_at = time.monotonic() + seconds
    while not happened():
        assert process is None or process.poll() is None, "the process ended by itself"
        assert time.monotonic() < ends_at, f"this did not happen within {seconds:g} seconds"
        time.sleep(POLL_SECONDS)
