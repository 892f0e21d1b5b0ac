"""The setting in which an experiment runs, and the finding that it returns. Plain data."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgsearch.device import DeviceChoice
from imgsearch.paths import IndexPaths, replacing
from imgsearch.progress import Progress

DATA_SUFFIXES = (".npz", ".zip")  # of digits and of posts
SMALL, DEFAULT, FULL = SIZES = ("small", "default", "full")


@dataclass(frozen=True)
class Lab:
    """The setting of an experiment."""

    paths: IndexPaths  # of the user's index directory
    size: str  # "small": seconds; "default": at most ten minutes on two cores; "full": as published
    device: DeviceChoice
    data: Path | None  # a file of digits or posts, or a folder with both, instead of a download
    seed: int
    on_progress: Progress  # called with the finished share of the experiment (total 1) and the current step
    stop: Callable[[], bool]  # polled now and then; True ends the experiment with a LabError

    def scratch(self, name: str) -> IndexPaths:
        """Return a directory for a training run of an experiment."""
        return IndexPaths(self.paths.lab / "work" / name)

    def file(self, name: str) -> Path | None:
        """Return the user's file with this name or suffix, None where `data` does not contain one."""
        if self.data is None:
            return None
        if self.data.is_dir():
            return self.data / name if (self.data / name).exists() else None
        is_another = self.data.suffix in DATA_SUFFIXES and self.data.suffix != Path(name).suffix
        return None if is_another else self.data  # a file with an unknown suffix is refused by its reader

    def by_size(self, small: Any, default: Any, full: Any) -> Any:
        """Return the value for the chosen size."""
        return dict(zip(SIZES, (small, default, full), strict=True))[self.size]


@dataclass(frozen=True)
class Finding:
    """Result of an experiment: a table, a picture and a conclusion."""

    name: str
    title: str
    source: str  # the paper that it follows
    data: str  # a sentence on the data that was used
    columns: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]  # the table, as text
    figures: dict[str, Any]  # the numbers of the table and more
    conclusion: str  # one or two sentences with the figures
    picture: bytes  # PNG

    def to_json(self) -> dict[str, Any]:
        """Return everything but the picture."""
        return {name: value for name, value in vars(self).items() if name != "picture"}


@dataclass(frozen=True)
class ChapterResult:
    """Result of one experiment of the lecture: a finding, or the reason why there is none."""

    name: str
    finding: Finding | None
    reason: str = ""


def write_finding(paths: IndexPaths, finding: Finding) -> Path:
    """Write `lab/NAME.png` and `lab/NAME.json` and return the path of the picture.

    Raises:
        IndexDirectoryError: the directory cannot be written.
    """
    picture = paths.lab / f"{finding.name}.png"
    with replacing(picture) as temporary:
        temporary.write_bytes(finding.picture)
    with replacing(picture.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(finding.to_json(), indent=2) + "\n", encoding="utf-8")
    return picture
