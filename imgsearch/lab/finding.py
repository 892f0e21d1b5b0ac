"""What an experiment gets and what it finds: plain data. Must not know any experiment."""

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
    """Where an experiment runs."""

    paths: IndexPaths  # of the user's index directory
    size: str  # "small": seconds; "default": at most ten minutes on two cores; "full": as published
    device: DeviceChoice
    data: Path | None  # digits or posts that the user has, or a folder of both, instead of a download
    seed: int
    on_progress: Progress  # called with the finished share of the experiment (total 1) and the current step
    stop: Callable[[], bool]

    def scratch(self, name: str) -> IndexPaths:
        """Where a training of an experiment may lie."""
        return IndexPaths(self.paths.lab / "work" / name)

    def file(self, name: str) -> Path | None:
        """The user's file that is called so, where `data` is a folder, or that ends so; None where there is none."""
        if self.data is None:
            return None
        if self.data.is_dir():
            return self.data / name if (self.data / name).exists() else None
        is_another = self.data.suffix in DATA_SUFFIXES and self.data.suffix != Path(name).suffix
        return None if is_another else self.data  # what is neither digits nor posts is refused by whoever reads it

    def by_size(self, small: Any, default: Any, full: Any) -> Any:
        """The one of three settings that belongs to the size asked for."""
        return dict(zip(SIZES, (small, default, full), strict=True))[self.size]


@dataclass(frozen=True)
class Finding:
    """What an experiment found."""

    name: str
    title: str
    source: str  # the paper it follows
    data: str  # a sentence: what it was measured on
    columns: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]  # the table, as text
    figures: dict[str, Any]  # the same and more as numbers
    conclusion: str  # what one sees, with the figures
    picture: bytes  # PNG

    def to_json(self) -> dict[str, Any]:
        """Everything but the picture."""
        return {name: value for name, value in vars(self).items() if name != "picture"}


@dataclass(frozen=True)
class Told:
    """What became of one experiment among others: a finding, or the reason why there is none."""

    name: str
    finding: Finding | None
    reason: str = ""


def write_finding(paths: IndexPaths, finding: Finding) -> Path:
    """Leave `lab/NAME.png` and `lab/NAME.json`; returns the picture's path.

    Raises:
        IndexDirectoryError: the directory cannot be written.
    """
    picture = paths.lab / f"{finding.name}.png"
    with replacing(picture) as temporary:
        temporary.write_bytes(finding.picture)
    with replacing(picture.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(finding.to_json(), indent=2) + "\n", encoding="utf-8")
    return picture
