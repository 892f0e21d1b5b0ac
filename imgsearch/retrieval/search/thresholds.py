"""Match thresholds: how near a hit must be to count as the same picture, or as close; kept in `cutoff.json`.

`evaluation.calibrate` computes them. Imports neither torch nor faiss.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imgsearch.records import find_record, write_record

CUTOFF_FILE = "cutoff.json"

Grade = Literal["same", "close", "weak"]


@dataclass(frozen=True)
class Cutoff:
    """Two distances of one search method, in the unit of its hits: 1 - cosine, Euclidean, or differing bits."""

    metric: str  # "cosine", "l2" or "hamming"
    same: float  # up to it hits are copies of the query, and hardly ever other images
    close: float  # beyond it hits are no nearer than chance, or than images of the corpus mostly are; never < same

    def __post_init__(self) -> None:
        if not (0 <= self.same <= self.close and math.isfinite(self.close)):
            raise ValueError(f"{self} holds no thresholds")


@dataclass(frozen=True)
class Cutoffs:
    """The cutoffs of one index, and which index that is."""

    model: str  # digest of the model whose codes were measured
    rows: int  # rows 0..rows-1 were in the index
    methods: dict[str, Cutoff]  # by the names of `search.methods.METHODS`


def grade(distance: float, cutoff: Cutoff) -> Grade:
    """Return the grade of a hit at this distance.

    >>> [grade(distance, Cutoff("cosine", same=0.1, close=0.3)) for distance in (0.1, 0.3, 0.4)]
    ['same', 'close', 'weak']
    """
    if distance <= cutoff.same:
        return "same"
    return "close" if distance <= cutoff.close else "weak"


def write_cutoff(folder: Path, cutoffs: Cutoffs) -> None:
    """Write `cutoffs` into `folder` (`IndexPaths.search`), in place of the earlier ones.

    Raises:
        IndexDirectoryError: the folder cannot be written.
    """
    write_record(folder / CUTOFF_FILE, cutoffs)


def read_cutoff(folder: Path, *, model: str, rows: int) -> Cutoffs | None:
    """Read the cutoffs of the index in `folder` that `model` made of so many rows.

    None where there are none, where they belong to another index, or are damaged; the next reindex makes new ones.

    Raises:
        IndexDirectoryError: the file is there and cannot be read.
    """
    cutoffs = find_record(folder / CUTOFF_FILE, Cutoffs)
    fits = cutoffs is not None and (cutoffs.model, cutoffs.rows) == (model, rows)
    return cutoffs if fits else None
