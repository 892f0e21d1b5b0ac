"""Who asks and who may answer when figures are measured by labels: the labelled images, drawn down to a size.

Knows `Searcher` and labels; must not know how anything is compared or scored.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.corpus.ingest import LabelledImages
from imgsearch.errors import EvaluationError
from imgsearch.retrieval.index.exact import Rows

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

MOST_ROWS = 50_000  # of a database; whole rankings of more would take hours
SAMPLE_SEED = 0


@dataclass(frozen=True)
class LabelledDatabase:
    """The labelled images that can be found, or a sample of them."""

    names: list[str]  # of the labels, sorted
    labels: NDArray[np.int64]  # (n,) place in `names`
    rows: Rows  # (n,) ascending
    n_labelled: int  # how many images there were to draw from

    @classmethod
    def of(cls, searcher: "Searcher", most_rows: int = MOST_ROWS) -> "LabelledDatabase":
        """Raises EvaluationError where labels are missing; the message says how to label."""
        texts, findable = searcher.labels(), searcher.findable_rows().tolist()
        rows = np.array([row for row in findable if texts[row]], dtype=np.int64)
        names = sorted({texts[row] for row in rows})
        if len(names) < 2:
            have = f"all have the label {names[0]!r}" if names else "no indexed image has a label"
            raise EvaluationError(
                f"{have}; at least two labels are needed. Label images by their folders "
                "(imgsearch add PATH --labels-from-folders), then run: imgsearch reindex"
            )
        drawn = rows[sample(len(rows), most_rows)]
        numbers = {name: number for number, name in enumerate(names)}
        return cls(names, np.array([numbers[texts[row]] for row in drawn], dtype=np.int64), drawn, len(rows))


@dataclass(frozen=True)
class LabelledQueries:
    """The labelled images that ask."""

    labels: NDArray[np.int64]  # (nq,)
    places: NDArray[np.int64]  # (nq,) in the database, -1 for images that are not in the corpus
    thumbnails: NDArray[np.uint8]  # (nq, 32, 32, 3)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, which: NDArray[Any]) -> "LabelledQueries":
        """Those of these places or flags."""
        return LabelledQueries(self.labels[which], self.places[which], self.thumbnails[which])

    @property
    def are_rows(self) -> bool:
        """Whether they are images of the database itself."""
        return len(self) > 0 and bool(self.places[0] >= 0)


def own_queries(database: LabelledDatabase, thumbnails: NDArray[np.uint8], most: int | None = None) -> LabelledQueries:
    """Each image of the database, or a sample of them; `thumbnails` (n, 32, 32, 3) are the database's."""
    places = sample(len(database.rows), most)
    return LabelledQueries(database.labels[places], places, thumbnails[places])


def given_queries(database: LabelledDatabase, given: LabelledImages, most: int | None = None) -> LabelledQueries:
    """Other images that have labels, or a sample of them.

    Raises:
        EvaluationError: none has a label, or one has a label that the database lacks.
    """
    labelled = np.flatnonzero([label != "" for label in given.labels])
    if len(labelled) == 0:
        raise EvaluationError("no query image has a label: put each into a folder that is named as what it shows.")
    strangers = sorted(set(given.labels) - {"", *database.names})
    if strangers:
        known = _listed(database.names)
        raise EvaluationError(f"no indexed image has the label {_listed(strangers)}; the labels there are {known}.")
    labelled = labelled[sample(len(labelled), most)]
    numbers = {name: number for number, name in enumerate(database.names)}
    labels = np.array([numbers[given.labels[place]] for place in labelled], dtype=np.int64)
    return LabelledQueries(labels, np.full(len(labels), -1, dtype=np.int64), given.thumbnails[labelled])


def sample(n: int, most: int | None) -> NDArray[np.int64]:
    """The places 0..n-1 in order, or `most` of them drawn with a fixed seed."""
    if most is None or most >= n:
        return np.arange(n)
    return np.sort(np.random.default_rng(SAMPLE_SEED).choice(n, most, replace=False))


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
