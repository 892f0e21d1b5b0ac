"""Progress of long-running work: one callback protocol for the library, the command line and the page."""

from typing import Protocol


class Progress(Protocol):
    """A callback that long-running work calls after each part of it.

    The rate of calls is up to the work; a display may drop calls that come too fast.
    """

    def __call__(self, done: float, total: float | None, text: str = "") -> None:
        """Report that `done` of `total` steps are finished.

        Args:
            done: steps finished so far; a share of the work where `total` is 1.
            total: steps in all, None where the end is unknown.
            text: the current step, for people.
        """


def silent(done: float, total: float | None, text: str = "") -> None:
    """No-op progress callback."""


def part_of(progress: Progress, begin: float, end: float, text: str = "") -> Progress:
    """Return a callback for one part of larger work: its 0..1 is shown as the share `begin`..`end` of the whole.

    Args:
        progress: the callback of the whole, which is called with a total of 1.
        begin: share of the whole that is finished when the part starts.
        end: share of the whole that is finished when the part ends.
        text: the name of the part, shown where the part reports no text of its own.
    """
    label = text

    def report(done: float, total: float | None, text: str = "") -> None:
        share = done / total if total else 0.0
        progress(begin + (end - begin) * share, 1, text or label)

    return report
