"""Two models on the same images: does the new one find less? Needs no index, so it can be asked before one is built.

Knows checkpoints, distortions and metrics; must not know how a model was trained or which is taken.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.encode import encode_images
from imgsearch.corpus.store import Corpus
from imgsearch.device import DeviceChoice
from imgsearch.progress import Progress, silent
from imgsearch.retrieval.evaluation.distortions import DISTORTIONS, distort
from imgsearch.retrieval.evaluation.ranking import Database
from imgsearch.retrieval.evaluation.robustness import found_in
from imgsearch.retrieval.index.exact import Rows

MOST_ROWS, MOST_DISTORTED, MOST_ASKING = 10_000, 400, 1000  # drawn at random where there are more
NEAREST = 10
TOLERANCE = 0.01  # of a share; less is chance
SEED = 0


@dataclass(frozen=True)
class Quality:
    """What one model finds. Shares, 0 to 1."""

    model: str  # digest
    recall: float  # distorted copies whose original comes first, in the mean over the distortions
    precision: float | None  # same-label images among the ten nearest; None where fewer than two labels are there


@dataclass(frozen=True)
class Comparison:
    """The model before, and the new one."""

    n_images: int
    before: Quality
    after: Quality

    @property
    def is_better(self) -> bool:
        """By labels, of which there must be some."""
        assert self.before.precision is not None
        assert self.after.precision is not None
        return self.after.precision > self.before.precision

    @property
    def is_worse(self) -> bool:
        """By labels, where there are some: they say what is to be found. Else by distorted copies."""
        if self.before.precision is not None and self.after.precision is not None:
            return self.after.precision < self.before.precision - TOLERANCE
        return self.after.recall < self.before.recall - TOLERANCE

    def lines(self) -> list[str]:
        """For people."""
        before, after = self.before, self.after
        told = [f"distorted copies whose original comes first: {before.recall:.1%} before, {after.recall:.1%} now"]
        if before.precision is not None and after.precision is not None:
            told.append(f"same label among the ten nearest: {before.precision:.1%} before, {after.precision:.1%} now")
        return told

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"is_worse": self.is_worse}


def compare_models(
    before: Path,
    after: Path,
    corpus: Corpus,
    device: DeviceChoice,
    *,
    texts: Sequence[str] | None = None,
    asking: Rows | None = None,
    on_progress: Progress = silent,
) -> Comparison:
    """Measure the checkpoints in two folders on a sample of the corpus: seconds.

    `texts` are the label of each row, "" where there is none; the corpus's own unless others are given. With `asking`,
    rows that have labels, these ask for images of their label (or a sample of them), and no others.

    Raises:
        ModelError: one of them cannot be read.
    """
    rng = np.random.default_rng(SEED)
    live = corpus.live_rows()
    texts = corpus.labels() if texts is None else texts
    if asking is None:
        rows = np.sort(rng.choice(live, min(MOST_ROWS, len(live)), replace=False))
    else:
        asking = rng.permutation(asking)[:MOST_ASKING]
        labelled = rng.permutation([row for row in live if texts[row]])
        first = np.concatenate([asking, labelled, rng.permutation(live)]).astype(np.int64)
        rows = np.sort(first[np.sort(np.unique(first, return_index=True)[1])][:MOST_ROWS])
    places = np.sort(rng.choice(len(rows), min(MOST_DISTORTED, len(rows)), replace=False))
    thumbnails = corpus.thumbnails()[rows]  # (n, 32, 32, 3)
    copies = np.concatenate([distort(thumbnails[places], name, rows[places], seed=SEED) for name in DISTORTIONS])
    labels = np.array([texts[row] for row in rows])
    askers = np.intersect1d(places, np.flatnonzero(labels != "")) if asking is None else np.searchsorted(rows, asking)
    qualities = []
    for number, folder in enumerate((before, after), start=1):
        qualities.append(_quality(folder, thumbnails, copies, places, askers, labels, device))
        on_progress(number, 2)
    return Comparison(len(rows), *qualities)


def _quality(
    folder: Path,
    thumbnails: NDArray[np.uint8],
    copies: NDArray[np.uint8],
    places: Rows,
    askers: Rows,
    labels: NDArray[np.str_],
    device: DeviceChoice,
) -> Quality:
    network, card = load_checkpoint(folder, device.device)
    codes = encode_images(network, thumbnails, device)  # (n, 256)
    database = Database.of(codes, card.metric)
    distances = database.distances(encode_images(network, copies, device))  # (distortions * m, n)
    recall = found_in(distances, np.tile(places, len(DISTORTIONS)), (1,)).mean()
    return Quality(card.digest, float(recall), _precision(database, codes, askers, labels))


def _precision(database: Database, codes: NDArray[np.float32], asking: Rows, labels: NDArray[np.str_]) -> float | None:
    """Of the labelled images at `asking`, the mean share of their label among the nearest others that have one."""
    labelled = np.flatnonzero(labels != "")
    if len(np.unique(labels[labelled])) < 2 or len(asking) == 0:
        return None
    distances = database.distances(codes[asking])[:, labelled]  # (m, labelled)
    distances[np.arange(len(asking)), np.searchsorted(labelled, asking)] = np.inf
    nearest = labelled[np.argsort(distances, axis=1, kind="stable")[:, : min(NEAREST, len(labelled) - 1)]]
    return float((labels[nearest] == labels[asking][:, None]).mean())
