"""The cutoff: how near a hit must be to count as the same picture, or as close; and `cutoff.json`, which keeps it.

Plain data and one JSON file. Must not know how a cutoff is found (`calibrate` does), and loads neither torch nor faiss.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from imgsearch.paths import directory_errors, replacing

CUTOFF_FILE = "cutoff.json"

Grade = Literal["same", "close", "weak"]


@dataclass(frozen=True)
class Cutoff:
    """Two distances of one method, in the unit of its hits: 1 - cosine, Euclidean distance, or bits that differ."""

    metric: str  # "cosine", "l2" or "hamming"
    same: float  # within it lie copies of a picture, and hardly any other picture
    close: float  # beyond it a hit is no nearer than chance, or than the corpus's own images mostly are; never < same


@dataclass(frozen=True)
class Cutoffs:
    """The cutoffs of one index directory, and of which index they are."""

    model: str  # digest of the model whose codes were measured
    rows: int  # rows 0..rows-1 were in the index
    methods: Mapping[str, Cutoff]  # by "code", "pixel" and "binary"

    def to_json(self) -> dict[str, Any]:
        methods = {name: asdict(cutoff) for name, cutoff in self.methods.items()}
        return {"model": self.model, "rows": self.rows, "methods": methods}


def grade(distance: float, cutoff: Cutoff) -> Grade:
    """What a hit at this distance is worth.

    >>> [grade(distance, Cutoff("cosine", same=0.1, close=0.3)) for distance in (0.1, 0.3, 0.4)]
    ['same', 'close', 'weak']
    """
    if distance <= cutoff.same:
        return "same"
    return "close" if distance <= cutoff.close else "weak"


def write_cutoff(folder: Path, cutoffs: Cutoffs) -> None:
    """Put `cutoffs` into `folder` (`IndexPaths.search`), in place of those before.

    Raises:
        IndexDirectoryError: the folder cannot be written.
    """
    with replacing(folder / CUTOFF_FILE) as temporary:
        text = json.dumps(cutoffs.to_json(), indent=2, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_cutoff(folder: Path, *, model: str, rows: int) -> Cutoffs | None:
    """The cutoffs in `folder` of the index made by `model` of so many rows.

    None where there are none, where they are of another index, or damaged: the next reindex makes them anew.

    Raises:
        IndexDirectoryError: the file is there and cannot be read.
    """
    path = folder / CUTOFF_FILE
    with directory_errors(path):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
    try:
        cutoffs = Cutoffs(
            found["model"], found["rows"], {str(name): Cutoff(**each) for name, each in found["methods"].items()}
        )
    except (KeyError, TypeError, AttributeError):
        return None
    fits = (cutoffs.model, cutoffs.rows) == (model, rows)
    return cutoffs if fits and all(map(_sound, cutoffs.methods.values())) else None


def _sound(cutoff: Cutoff) -> bool:
    numbers = (cutoff.same, cutoff.close)
    return (
        isinstance(cutoff.metric, str)
        and all(isinstance(number, int | float) and math.isfinite(number) for number in numbers)
        and 0 <= cutoff.same <= cutoff.close
    )
