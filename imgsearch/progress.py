"""How long-running work reports its progress: one protocol for the library, the command line and the page."""

from typing import Protocol


class Progress(Protocol):
    """A callback that long-running work calls after each part of it.

    The rate of calls is up to the work; whoever displays them drops those that come too fast.
    """

    def __call__(self, done: float, total: float | None, text: str = "") -> None:
        """`done` of `total` steps are finished.

        Args:
            done: steps finished so far; a share of the work where `total` is 1.
            total: steps in all, None where the end is unknown.
            text: what is being worked on, for people.
        """


def silent(done: float, total: float | None, text: str = "") -> None:
    """No-op progress callback."""


def part_of(progress: Progress, begin: float, end: float, text: str = "") -> Progress:
    """A callback for one part of larger work: its 0..1 is shown as the share `begin`..`end` of the whole.

    Args:
        progress: the callback of the whole, which is called with a total of 1.
        begin: share of the whole that is finished when the part starts.
        end: share of the whole that is finished when the part ends.
        text: what the part is, shown where it gives no text of its own.
    """

    label = text

    def report(done: float, total: float | None, text: str = "") -> None:
        share = done / total if total else 0.0
        progress(begin + (end - begin) * share, 1, text or label)

    return report
