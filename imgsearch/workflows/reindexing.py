"""Bring codes and index up to date with the corpus and the current model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgsearch.autoencoder.card import current_model
from imgsearch.corpus.store import Corpus
from imgsearch.errors import CorpusError, Hint
from imgsearch.paths import IndexPaths, index_paths
from imgsearch.progress import Progress, part_of, silent

if TYPE_CHECKING:
    from pathlib import Path

    from imgsearch.device import DeviceChoice

# Shares of the progress shown: encoding takes far longer than the rest.
ENCODED, INDEXED, CALIBRATED = 0.85, 0.9, 0.97


@dataclass(frozen=True)
class ReindexResult:
    """Contents of the index directory after a reindex."""

    rows: int  # rows that have a code and are in the index, removed ones included
    model: str  # digest of the model that made the codes
    described: int | None  # rows whose words were indexed; None where no text model was trained


def reindex(
    index: "IndexPaths | Path | str | None" = None,
    *,
    device: "DeviceChoice | str" = "auto",
    full: bool = False,
    on_progress: Progress = silent,
) -> ReindexResult:
    """Encode rows without a code of the current model, build the index, and calibrate its match thresholds.

    An interrupted call is continued by the next one; the old index stays in use until the new one is complete.

    Args:
        index: the index directory (default: `$IMGSEARCH_INDEX`, else `index`).
        device: where to compute, as `pick_device` takes it, or its result.
        full: encode every row again.
        on_progress: called with the finished share of the work (total 1) and the name of the current step.

    Raises:
        CorpusError: the corpus is missing, empty or damaged.
        ModelError: the current model is damaged or produces codes that are not finite.
        IndexDirectoryError: the directory cannot be written, or another process is writing to it.
    """
    from imgsearch.autoencoder.checkpoint import load_checkpoint
    from imgsearch.autoencoder.encode import update_codes
    from imgsearch.device import pick_device
    from imgsearch.retrieval.build import build_index
    from imgsearch.retrieval.evaluation.calibrate import calibrate_index
    from imgsearch.retrieval.search.searcher import Searcher
    from imgsearch.retrieval.search.thresholds import write_cutoff

    paths = index_paths(index)
    chosen = pick_device(device) if isinstance(device, str) else device
    with Corpus.open(paths) as corpus:
        if not len(corpus):
            raise CorpusError("the corpus is empty.", hint=Hint.ADD_IMAGES)
        network, card = load_checkpoint(current_model(paths), chosen.device)
        codes = update_codes(
            corpus.thumbnails(),
            paths,
            network,
            card,
            chosen,
            full=full,
            on_progress=part_of(on_progress, 0, ENCODED, "encoding"),
        )
    build_index(paths, on_progress=part_of(on_progress, ENCODED, INDEXED, "indexing"))
    with Searcher.open(paths, device=str(chosen.device)) as searcher:
        cutoffs = calibrate_index(searcher, on_progress=part_of(on_progress, INDEXED, CALIBRATED, "calibrating"))
        write_cutoff(paths.search, cutoffs)
    described = index_words(paths, chosen, full=full, on_progress=part_of(on_progress, CALIBRATED, 1, "indexing words"))
    return ReindexResult(codes.rows, card.digest, described)


def index_words(
    paths: IndexPaths, device: "DeviceChoice", *, full: bool = False, on_progress: Progress = silent
) -> int | None:
    """Bring the index of words up to date and return how many rows have words; None where no text model was trained.

    Raises:
        ModelError: the text model is damaged.
        IndexDirectoryError: the directory cannot be written.
    """
    from imgsearch.retrieval.text.text_index import has_text_model, update_text_index

    if not has_text_model(paths):
        return None
    with Corpus.open(paths) as corpus:
        return update_text_index(paths, corpus, device, full=full, on_progress=on_progress)
