"""The image map: two-dimensional layouts of the images by their codes and by their pixels, kept in `map.npz`.

The file holds rows and positions, no image content. scikit-learn is loaded only where layouts are computed.
"""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.errors import EvaluationError, Hint
from imgsearch.paths import IndexPaths, directory_errors, replacing
from imgsearch.progress import Progress, silent
from imgsearch.retrieval.explore.directions import principal_directions
from imgsearch.retrieval.explore.principal import PrincipalComponents
from imgsearch.retrieval.index.exact import Rows
from imgsearch.retrieval.index.index_info import COSINE, L2
from imgsearch.retrieval.index.ranking import k_nearest

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

Layout = NDArray[np.float32]  # (n, 2)

CODE_TSNE, PIXEL_TSNE, CODE_PCA, PIXEL_PCA = LAYOUTS = ("code-tsne", "pixel-tsne", "code-pca", "pixel-pca")
MOST_ROWS = 2_000  # t-SNE of so many takes about ten seconds on one core
LEAST_ROWS = 12  # with fewer there are no neighbourhoods
PIXEL_COMPONENTS = 32  # of the pixels; the input of t-SNE
PERPLEXITY = 30.0  # about the number of neighbours that t-SNE considers for each image
START_SPREAD = 1e-4  # t-SNE starts from the two main components, scaled to this standard deviation
NEAREST = 10  # neighbours that the measures consider


@dataclass(frozen=True)
class ImageMap:
    """The position of each row in each of `LAYOUTS`."""

    model: str  # digest of the model whose codes were placed
    indexed: int  # rows 0..indexed-1 were in the index when it was made
    made_at: str  # ISO 8601, UTC
    rows: Rows  # (n,) ascending: all rows that could be found, or a sample of them
    layouts: dict[str, Layout]  # by name

    def fits(self, model: str) -> bool:
        """Return whether the codes of `model` were placed."""
        return self.model == model

    def of_rows(self, rows: Rows) -> "ImageMap":
        """Return the map without the rows that are not among `rows`, such as those removed since it was made."""
        kept = np.isin(self.rows, rows)
        layouts = {name: layout[kept] for name, layout in self.layouts.items()}
        return ImageMap(self.model, self.indexed, self.made_at, self.rows[kept], layouts)


def make_map(
    searcher: "Searcher",
    *,
    most_rows: int = MOST_ROWS,
    seed: int = 0,
    on_progress: Progress = silent,
) -> ImageMap:
    """Place the images of an index: all that can be found, or `most_rows` of them drawn with `seed`.

    The pixels are reduced to 32 principal components and placed by t-SNE (van der Maaten & Hinton 2008) with Euclidean
    distance; the codes are placed by t-SNE with the distance of search. Both start from their two main principal
    components, which are layouts too. The same index and seed give the same map.

    Raises:
        EvaluationError: fewer than twelve images can be found.
    """
    rows = searcher.findable_rows()
    if len(rows) < LEAST_ROWS:
        raise EvaluationError(
            f"a map needs at least {LEAST_ROWS} images that can be found; there are {len(rows)}.",
            hint=Hint.ADD_AND_REINDEX,
        )
    if len(rows) > most_rows:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most_rows, replace=False))
    on_progress(0.0, 1, f"principal components of {len(rows):,} images")
    thumbnails = searcher.thumbnails(rows)
    components = PrincipalComponents.of(thumbnails).project(thumbnails)[:, :PIXEL_COMPONENTS]  # (n, 32)
    if components.shape[1] == 0:  # all images are equal, and t-SNE needs a column
        components = np.zeros((len(rows), 1), np.float32)
    codes = searcher.indexed_codes(rows)  # (n, d), of length 1 where they are compared by cosine
    pixel_pca, code_pca = _two(components), _code_pca(codes)
    on_progress(0.04, 1, f"t-SNE of {len(rows):,} images by their pixels")
    pixel_tsne = _tsne(components, pixel_pca, "euclidean", seed)
    on_progress(0.52, 1, f"t-SNE of {len(rows):,} images by their codes")
    metric = "cosine" if searcher.metric == COSINE else "euclidean"
    code_tsne = _tsne(codes, code_pca, metric, seed)
    on_progress(1.0, 1, "done")
    layouts = dict(zip(LAYOUTS, (code_tsne, pixel_tsne, code_pca, pixel_pca), strict=True))
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    return ImageMap(searcher.model, searcher.rows, made_at, rows, layouts)


def _code_pca(codes: NDArray[np.floating]) -> Layout:
    directions = principal_directions(codes, 2)
    return _two((codes - directions.mean) @ directions.directions.T)


def _two(components: NDArray[np.floating]) -> Layout:
    """(n, 2) the first two of components (n, d), zeros where there are fewer."""
    layout = np.zeros((len(components), 2), np.float32)
    width = min(2, components.shape[1])
    layout[:, :width] = components[:, :width]
    return layout


def _tsne(points: NDArray[np.floating], start: Layout, metric: str, seed: int) -> Layout:
    from sklearn.manifold import TSNE  # a second to import

    spread = start[:, 0].std()
    if spread > 0:
        init = (start / spread * START_SPREAD).astype(np.float32)
    else:  # all images are equal
        init = np.random.default_rng(seed).normal(0, START_SPREAD, start.shape).astype(np.float32)
    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, metric=metric, init=init, random_state=seed)
    placed: Layout = np.asarray(tsne.fit_transform(points), np.float32)
    return placed


# ----------------------------------------------------------------------------------------------------------------------
# how good a map is


def same_label_share(layout: Layout, labels: NDArray[Any], k: int = NEAREST) -> float:
    """The share of the k nearest in a layout that have the label of the point, over all points; labels (n,)."""
    neighbours = _neighbours(layout, k)
    return float((labels[neighbours] == labels[:, None]).mean())


def kept_share(layout: Layout, points: NDArray[np.floating], k: int = NEAREST) -> float:
    """The share of the k nearest by `points` (n, d), Euclidean, that are also among the k nearest in the layout."""
    truth, found = _neighbours(points, k), _neighbours(layout, k)
    return float(np.mean([np.isin(*pair).mean() for pair in zip(truth, found, strict=True)]))


def _neighbours(points: NDArray[np.floating], k: int) -> Rows:
    """(n, k) the k nearest other points of each point, at most n - 1."""
    return k_nearest(points.astype(np.float32), points.astype(np.float32), k, L2, np.arange(len(points)))


# ----------------------------------------------------------------------------------------------------------------------
# on disk


def save_map(paths: IndexPaths, made: ImageMap) -> None:
    """Write `made` in place of the earlier map.

    Raises:
        IndexDirectoryError: the directory cannot be written.
    """
    parts: dict[str, Any] = {"model": made.model, "indexed": made.indexed, "made_at": made.made_at, "rows": made.rows}
    parts |= made.layouts
    with replacing(paths.map) as temporary, temporary.open("wb") as file:
        np.savez(file, **parts)


def load_map(paths: IndexPaths) -> ImageMap | None:
    """Read the last map; None where there is none or the file is damaged: making it again replaces it.

    Raises:
        IndexDirectoryError: the file is there and cannot be read.
    """
    with directory_errors(paths.map):
        try:
            # Opened here, since numpy leaves a damaged file open.
            with paths.map.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                made = ImageMap(
                    str(kept["model"]),
                    int(kept["indexed"]),
                    str(kept["made_at"]),
                    kept["rows"],
                    {name: kept[name] for name in LAYOUTS},
                )
        except (FileNotFoundError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
            return None
    return made if _sound(made) else None


def _sound(made: ImageMap) -> bool:
    n = len(made.rows) if made.rows.ndim == 1 else -1
    return made.rows.dtype == np.int64 and all(
        layout.shape == (n, 2) and layout.dtype == np.float32 and bool(np.isfinite(layout).all())
        for layout in made.layouts.values()
    )


def erase_positions(paths: IndexPaths, rows: Sequence[int]) -> None:
    """Erase the positions of `rows` from the map on disk, if there is one; may be repeated.

    Raises:
        IndexDirectoryError: the directory cannot be read or written.
    """
    made = load_map(paths)
    if made is None:
        with directory_errors(paths.map):
            paths.map.unlink(missing_ok=True)  # a damaged file may still hold them
    elif np.isin(made.rows, rows).any():
        save_map(paths, made.of_rows(np.setdiff1d(made.rows, rows)))
