"""The picture map: images placed in a plane so that near ones lie together, by their pixels and by their codes.

Knows how places are computed (PCA, t-SNE), kept in `map.npz` and measured; must not know how they are drawn. Holds
rows and places, never a picture. scikit-learn is loaded where places are computed, and nowhere else.
"""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.errors import EvaluationError
from imgsearch.paths import IndexPaths, directory_errors, replacing
from imgsearch.progress import Progress, silent
from imgsearch.retrieval.explore.directions import principal_directions
from imgsearch.retrieval.explore.principal import PrincipalComponents
from imgsearch.retrieval.index.exact import Rows
from imgsearch.retrieval.index.index_info import COSINE

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

Plane = NDArray[np.float32]  # (n, 2)

CODE_TSNE, PIXEL_TSNE, CODE_PCA, PIXEL_PCA = PLANES = ("code-tsne", "pixel-tsne", "code-pca", "pixel-pca")
MOST_ROWS = 2_000  # t-SNE of so many takes about ten seconds on one core; the time grows with their number
LEAST_ROWS = 12  # with fewer there is no neighbourhood to keep
PIXEL_COMPONENTS = 32  # of the pixels, before t-SNE
PERPLEXITY = 30.0  # how many neighbours t-SNE takes an image to have, about
START_SPREAD = 1e-4  # t-SNE starts from the two main components, shrunk to this standard deviation
NEAREST = 10  # neighbours in the plane that the figures look at


@dataclass(frozen=True)
class PictureMap:
    """Where each of some rows lies, by each of `PLANES`."""

    model: str  # digest of the model whose codes were placed
    indexed: int  # rows 0..indexed-1 were in the index when it was made
    made_at: str  # ISO 8601, UTC
    rows: Rows  # (n,) ascending: all that could be found, or a sample of them
    planes: dict[str, Plane]  # by name, each (n, 2)

    def fits(self, model: str) -> bool:
        """Whether these are places of the codes of `model`."""
        return self.model == model

    def of_rows(self, rows: Rows) -> "PictureMap":
        """The same map with those of its rows alone that are among `rows`: what was removed since vanishes."""
        kept = np.isin(self.rows, rows)
        planes = {name: plane[kept] for name, plane in self.planes.items()}
        return PictureMap(self.model, self.indexed, self.made_at, self.rows[kept], planes)


def make_map(
    searcher: "Searcher",
    *,
    most_rows: int = MOST_ROWS,
    seed: int = 0,
    on_progress: Progress = silent,
) -> PictureMap:
    """Place the images of an index: all that can be found, or `most_rows` of them drawn with `seed`.

    The pixels are reduced to their 32 principal components, then placed by t-SNE (van der Maaten & Hinton 2008) with
    Euclidean distance; the codes are placed by t-SNE with the distance that they are searched by. Both start from their
    two principal components, which are two maps of their own. The same index and seed give the same map.

    Raises:
        EvaluationError: fewer than twelve images can be found.
    """
    rows = searcher.findable_rows()
    if len(rows) < LEAST_ROWS:
        raise EvaluationError(
            f"a map needs at least {LEAST_ROWS} images that can be found; there are {len(rows)}. "
            "Add some (imgsearch add FOLDER), then run: imgsearch reindex"
        )
    if len(rows) > most_rows:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most_rows, replace=False))
    on_progress(0.0, 1, f"principal components of {len(rows):,} images")
    thumbnails = searcher.thumbnails(rows)
    components = PrincipalComponents.of(thumbnails).project(thumbnails)[:, :PIXEL_COMPONENTS]  # (n, 32)
    codes = searcher.indexed_codes(rows)  # (n, d), of length 1 where they are compared by cosine
    pixel_pca, code_pca = _two(components), _code_pca(codes)
    on_progress(0.04, 1, f"t-SNE of {len(rows):,} images by their pixels")
    pixel_tsne = _tsne(components, pixel_pca, "euclidean", seed)
    on_progress(0.52, 1, f"t-SNE of {len(rows):,} images by their codes")
    metric = "cosine" if searcher.metric == COSINE else "euclidean"
    code_tsne = _tsne(codes, code_pca, metric, seed)
    on_progress(1.0, 1, "done")
    planes = dict(zip(PLANES, (code_tsne, pixel_tsne, code_pca, pixel_pca), strict=True))
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    return PictureMap(searcher.model, searcher.rows, made_at, rows, planes)


def _code_pca(codes: NDArray[np.floating]) -> Plane:
    directions = principal_directions(codes, 2)
    return _two((codes - directions.mean) @ directions.directions.T)


def _two(components: NDArray[np.floating]) -> Plane:
    """(n, 2) the first two of (n, d) components, zeros where there are fewer."""
    plane = np.zeros((len(components), 2), np.float32)
    width = min(2, components.shape[1])
    plane[:, :width] = components[:, :width]
    return plane


def _tsne(points: NDArray[np.floating], start: Plane, metric: str, seed: int) -> Plane:
    from sklearn.manifold import TSNE  # a second to import

    spread = start[:, 0].std()
    if spread > 0:
        init = (start / spread * START_SPREAD).astype(np.float32)
    else:  # all images are the same one
        init = np.random.default_rng(seed).normal(0, START_SPREAD, start.shape).astype(np.float32)
    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, metric=metric, init=init, random_state=seed)
    placed: Plane = np.asarray(tsne.fit_transform(points), np.float32)
    return placed


# ----------------------------------------------------------------------------------------------------------------------
# how good a map is


def nearest_in_plane(plane: Plane, k: int = NEAREST) -> Rows:
    """(n, k) the places of the k nearest of each point, nearest first, itself left out."""
    return _nearest(plane, k)


def same_label_share(plane: Plane, labels: NDArray[Any], k: int = NEAREST) -> float:
    """The share of points with the same label, among the k nearest in the plane, over all points; labels (n,)."""
    neighbours = nearest_in_plane(plane, min(k, len(plane) - 1))
    return float((labels[neighbours] == labels[:, None]).mean())


def kept_share(plane: Plane, points: NDArray[np.floating], k: int = NEAREST) -> float:
    """The share of the k nearest by `points` (n, d), Euclidean, that are among the k nearest in the plane too."""
    k = min(k, len(plane) - 1)
    truth, there = _nearest(points, k), _nearest(plane, k)
    return float(np.mean([np.isin(mine, yours).mean() for mine, yours in zip(truth, there, strict=True)]))


def _nearest(points: NDArray[np.floating], k: int) -> Rows:
    exact = points.astype(np.float64)
    squares = np.einsum("ij,ij->i", exact, exact)
    distances = squares[:, None] + squares[None, :] - 2 * exact @ exact.T  # (n, n): 32 MB for 2,000
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


# ----------------------------------------------------------------------------------------------------------------------
# on disk


def save_map(paths: IndexPaths, made: PictureMap) -> None:
    """Put `made` in place of the map before.

    Raises:
        IndexDirectoryError: the directory cannot be written.
    """
    parts: dict[str, Any] = {"model": made.model, "indexed": made.indexed, "made_at": made.made_at, "rows": made.rows}
    parts |= made.planes
    with replacing(paths.map) as temporary, temporary.open("wb") as file:
        np.savez(file, **parts)


def load_map(paths: IndexPaths) -> PictureMap | None:
    """The map that was made last; None where none was, or where the file is damaged: making it again mends both.

    Raises:
        IndexDirectoryError: the file is there and cannot be read.
    """
    with directory_errors(paths.map):
        try:
            # Opened here: numpy forgets to close a file that turns out to be damaged.
            with paths.map.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                made = PictureMap(
                    str(kept["model"]),
                    int(kept["indexed"]),
                    str(kept["made_at"]),
                    kept["rows"],
                    {name: kept[name] for name in PLANES},
                )
        except (FileNotFoundError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
            return None
    return made if _sound(made) else None


def _sound(made: PictureMap) -> bool:
    n = len(made.rows) if made.rows.ndim == 1 else -1
    return made.rows.dtype == np.int64 and all(
        plane.shape == (n, 2) and plane.dtype == np.float32 and bool(np.isfinite(plane).all())
        for plane in made.planes.values()
    )


def erase_places(paths: IndexPaths, rows: Sequence[int]) -> None:
    """Take the places of `rows` out of the map on disk, if there is one; may be repeated.

    Raises:
        IndexDirectoryError: the directory cannot be read or written.
    """
    made = load_map(paths)
    if made is None:
        with directory_errors(paths.map):
            paths.map.unlink(missing_ok=True)  # a damaged one may hold anything
    elif np.isin(made.rows, rows).any():
        save_map(paths, made.of_rows(np.setdiff1d(made.rows, rows)))
