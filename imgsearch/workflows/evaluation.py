"""Measure how well an index finds images, and keep the figures beside it."""

from pathlib import Path
from typing import TYPE_CHECKING

from imgsearch.errors import EvaluationError
from imgsearch.paths import IndexPaths, index_paths
from imgsearch.progress import Progress, part_of, silent

if TYPE_CHECKING:
    from imgsearch.retrieval.evaluation.report import Measurement

MAX_QUERIES = 5000


def evaluate(
    index: IndexPaths | Path | str | None = None,
    *,
    queries: Path | str | None = None,
    max_queries: int | None = MAX_QUERIES,
    labels_needed: bool = False,
    save: bool = True,
    device: str = "auto",
    on_progress: Progress = silent,
) -> "Measurement":
    """Measure the search methods side by side: on distorted copies, and by labels where the corpus has any.

    Args:
        index: the index directory (default: `$IMGSEARCH_INDEX`, else `index`).
        queries: a folder or zip archive of images in folders named by label; without it, each image of the corpus is a
            query and left out of its own result.
        max_queries: draw this many queries at random where there are more; None: all.
        labels_needed: raise an error where nothing can be measured by labels.
        save: also call `save_quality`.
        device: where to compute, as `pick_device` takes it.
        on_progress: called with the finished steps of the current part, their number, and the name of the part.

    Raises:
        EvaluationError: no image can be found, or labels are missing although `queries` or `labels_needed` need them.
        IngestError: `queries` cannot be read.
        ImgSearchError: the index cannot be opened.
    """
    from imgsearch.corpus.ingest import read_labelled_images
    from imgsearch.retrieval.evaluation.report import measure
    from imgsearch.retrieval.search.searcher import Searcher

    paths, read = index_paths(index), None
    if queries is not None:
        read = read_labelled_images(Path(queries), on_progress=part_of(on_progress, 0, 1, "reading queries"))
    with Searcher.open(paths, device=device) as searcher:
        measurement = measure(
            searcher, queries=read, max_queries=max_queries, labels_needed=labels_needed, on_progress=on_progress
        )
    if save:
        save_quality(measurement, paths)
    return measurement


def save_quality(measurement: "Measurement", index: IndexPaths | Path | str | None = None) -> None:
    """Keep the figures in the index directory, where the search page reads them.

    Raises:
        IndexDirectoryError: the directory cannot be written.
    """
    from imgsearch.retrieval.evaluation.report import write_quality

    write_quality(index_paths(index), measurement.quality)


def draw_curve(measurement: "Measurement", picture: Path) -> None:
    """Draw the share of same-label images among the N nearest into a PNG file, one curve per method.

    Raises:
        EvaluationError: nothing was measured by labels.
        IndexDirectoryError: the file cannot be written.
    """
    from imgsearch.paths import replacing
    from imgsearch.retrieval.evaluation import plot

    if measurement.evaluation is None:
        raise measurement.why_not or EvaluationError("nothing was measured by labels.")
    with replacing(picture) as temporary:
        temporary.write_bytes(plot.draw_curve(measurement.evaluation))
