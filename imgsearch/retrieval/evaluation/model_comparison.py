"""Compare two models on the same images, without an index."""

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
from imgsearch.retrieval.evaluation.robustness import found_in
from imgsearch.retrieval.index.exact import Rows
from imgsearch.retrieval.index.ranking import Database, k_nearest

MOST_ROWS, MOST_DISTORTED, MOST_QUERIES = 10_000, 400, 1000  # drawn at random where there are more
NEAREST = 10
TOLERANCE = 0.01  # a share that is lower by no more is not worse: such differences are chance
SEED = 0


@dataclass(frozen=True)
class ModelScore:
    """The scores of one model. Shares, 0 to 1."""

    model: str  # digest
    recall: float  # distorted copies whose original is nearest, on average over the distortions
    precision: float | None  # same-label images among the ten nearest; None with fewer than two labels


@dataclass(frozen=True)
class Comparison:
    """The scores of the earlier model and of the new one."""

    n_images: int
    before: ModelScore
    after: ModelScore

    @property
    def is_better(self) -> bool:
        """Whether the new model has the higher precision; only where images have labels."""
        assert self.before.precision is not None
        assert self.after.precision is not None
        return self.after.precision > self.before.precision

    @property
    def is_worse(self) -> bool:
        """Whether the new model is worse by more than `TOLERANCE`: in precision, or without labels in recall."""
        if self.before.precision is not None and self.after.precision is not None:
            return self.after.precision < self.before.precision - TOLERANCE
        return self.after.recall < self.before.recall - TOLERANCE

    def lines(self) -> list[str]:
        """Return one sentence per score."""
        before, after = self.before, self.after
        lines = [f"distorted copies whose original comes first: {before.recall:.1%} before, {after.recall:.1%} now"]
        if before.precision is not None and after.precision is not None:
            lines.append(f"same label among the ten nearest: {before.precision:.1%} before, {after.precision:.1%} now")
        return lines

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self) | {"is_worse": self.is_worse}


def compare_models(
    before: Path,
    after: Path,
    corpus: Corpus,
    device: DeviceChoice,
    *,
    labels: Sequence[str] | None = None,
    queries: Rows | None = None,
    on_progress: Progress = silent,
) -> Comparison:
    """Score the checkpoints in two folders on a sample of the corpus, in seconds.

    Args:
        before: folder of the earlier checkpoint.
        after: folder of the new checkpoint.
        corpus: the images.
        device: where to encode them.
        labels: the label of each row, "" where there is none; by default those of the corpus.
        queries: labelled rows whose precision is measured (or a sample of them); by default those of the sample.
        on_progress: called after each model.

    Raises:
        ModelError: one of them cannot be read.
    """
    rng = np.random.default_rng(SEED)
    live = corpus.live_rows()
    labels = corpus.labels() if labels is None else labels
    if queries is None:
        rows = np.sort(rng.choice(live, min(MOST_ROWS, len(live)), replace=False))
    else:
        queries = rng.permutation(queries)[:MOST_QUERIES]
        labelled = rng.permutation([row for row in live if labels[row]])
        first = np.concatenate([queries, labelled, rng.permutation(live)]).astype(np.int64)
        rows = np.sort(first[np.sort(np.unique(first, return_index=True)[1])][:MOST_ROWS])
    positions = np.sort(rng.choice(len(rows), min(MOST_DISTORTED, len(rows)), replace=False))
    thumbnails = corpus.thumbnails()[rows]  # (n, 32, 32, 3)
    copies = np.concatenate([distort(thumbnails[positions], name, rows[positions], seed=SEED) for name in DISTORTIONS])
    texts = np.array([labels[row] for row in rows])
    if queries is None:
        labelled_queries = np.intersect1d(positions, np.flatnonzero(texts != ""))
    else:
        labelled_queries = np.searchsorted(rows, queries)
    scores = []
    for number, folder in enumerate((before, after), start=1):
        scores.append(_score(folder, thumbnails, copies, positions, labelled_queries, texts, device))
        on_progress(number, 2)
    return Comparison(len(rows), *scores)


def _score(
    folder: Path,
    thumbnails: NDArray[np.uint8],
    copies: NDArray[np.uint8],
    positions: Rows,
    queries: Rows,
    labels: NDArray[np.str_],
    device: DeviceChoice,
) -> ModelScore:
    network, card = load_checkpoint(folder, device.device)
    codes = encode_images(network, thumbnails, device)  # (n, 256)
    database = Database.of(codes, card.metric)
    distances = database.distances(encode_images(network, copies, device))  # (distortions * m, n)
    recall = found_in(distances, np.tile(positions, len(DISTORTIONS)), (1,)).mean()
    return ModelScore(card.digest, float(recall), _precision(codes, card.metric, queries, labels))


def _precision(codes: NDArray[np.float32], metric: str, queries: Rows, labels: NDArray[np.str_]) -> float | None:
    """The mean share of the query's label among the nearest labelled others, for the labelled images at `queries`."""
    labelled = np.flatnonzero(labels != "")
    if len(np.unique(labels[labelled])) < 2 or len(queries) == 0:
        return None
    own = np.searchsorted(labelled, queries)
    nearest = labelled[k_nearest(codes[labelled], codes[queries], NEAREST, metric, own)]
    return float((labels[nearest] == labels[queries][:, None]).mean())
