"""The picture map: clusters stay together, the same seed gives the same map, and nothing removed is on it."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsearch.corpus.store import Corpus
from imgsearch.errors import EvaluationError, Hint
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.explore.image_map import (
    CODE_PCA,
    CODE_TSNE,
    LAYOUTS,
    PIXEL_PCA,
    PIXEL_TSNE,
    ImageMap,
    erase_positions,
    kept_share,
    load_map,
    make_map,
    same_label_share,
    save_map,
)
from imgsearch.retrieval.search.searcher import Searcher
from tests.support.hints import raises_with_hint
from tests.support.index import make_index
from tests.support.progress import RecordedProgress

N_KINDS, N_OF_KIND = 3, 20
N = N_KINDS * N_OF_KIND
KINDS = np.arange(N) % N_KINDS


def coloured(n: int = N) -> NDArray[np.uint8]:
    """(n, 32, 32, 3) noise about one of three colours in turn."""
    random = np.random.default_rng(3)
    colours = np.array([(210, 40, 40), (40, 200, 60), (50, 60, 220)])[np.arange(n) % N_KINDS]
    noise = random.integers(-30, 31, (n, 4, 4, 3)).repeat(8, axis=1).repeat(8, axis=2)
    return np.asarray(np.clip(colours[:, None, None] + noise, 0, 255), np.uint8)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("plane") / "index", coloured()).root


@pytest.fixture(scope="module")
def made(root: Path) -> ImageMap:
    with Searcher.open(root, device="cpu") as searcher:
        return make_map(searcher)


def test_images_of_one_kind_lie_together_by_pixels_and_by_codes(made: ImageMap) -> None:
    chance = (N_OF_KIND - 1) / (N - 1)
    for name in LAYOUTS:
        assert made.layouts[name].shape == (N, 2)
        assert same_label_share(made.layouts[name], KINDS) > 0.9 > 2 * chance


def test_the_main_components_are_those_of_numpy(made: ImageMap) -> None:
    pixels = coloured().reshape(N, -1) / 255
    centred = pixels - pixels.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    expected = left[:, :2] * singular[:2]
    np.testing.assert_allclose(np.abs(made.layouts[PIXEL_PCA]), np.abs(expected), atol=2e-3)


def test_the_same_seed_gives_the_same_map_and_a_sample(root: Path) -> None:
    with Searcher.open(root, device="cpu") as searcher:
        one, again, other = (make_map(searcher, most_rows=30, seed=seed) for seed in (1, 1, 2))
    assert len(one.rows) == 30
    assert (np.diff(one.rows) > 0).all()
    assert (one.rows == again.rows).all()
    assert all((one.layouts[name] == again.layouts[name]).all() for name in LAYOUTS)
    assert (one.rows != other.rows).any()


def test_progress_rises_to_one(root: Path) -> None:
    seen = RecordedProgress()
    with Searcher.open(root, device="cpu") as searcher:
        make_map(searcher, most_rows=20, on_progress=seen)
    assert seen.shares == sorted(seen.shares)
    assert (seen.shares[0], seen.shares[-1]) == (0.0, 1.0)


def test_removed_images_are_not_placed(tmp_path: Path) -> None:
    paths = make_index(tmp_path, coloured(40))
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove([3, 17])
    with Searcher.open(paths, device="cpu") as searcher:
        made = make_map(searcher)
    assert made.indexed == 40
    assert set(range(40)) - set(made.rows.tolist()) == {3, 17}


def test_images_that_are_all_the_same_still_have_places(tmp_path: Path) -> None:
    same = np.full((14, 32, 32, 3), 90, np.uint8)
    with Searcher.open(make_index(tmp_path, same), device="cpu") as searcher:
        made = make_map(searcher)
    for layout in made.layouts.values():
        assert np.isfinite(layout).all()
    assert (made.layouts[CODE_PCA] == made.layouts[CODE_PCA][0]).all()


def test_too_few_images_are_refused_with_what_to_type(tmp_path: Path) -> None:
    with (
        Searcher.open(make_index(tmp_path, coloured(11)), device="cpu") as searcher,
        raises_with_hint(EvaluationError, Hint.ADD_AND_REINDEX, match=r"at least 12 images.*there are 11"),
    ):
        make_map(searcher)


# ----------------------------------------------------------------------------------------------------------------------
# figures


def test_same_label_share_by_hand() -> None:
    layout = np.array([[0, 0], [1, 0], [3, 0], [7, 0]], np.float32)
    labels = np.array([0, 0, 1, 1])
    assert same_label_share(layout, labels, k=1) == pytest.approx(3 / 4)  # the third one's nearest is the second
    assert same_label_share(layout, labels, k=10) == pytest.approx(1 / 3)  # all three others


def test_a_layout_keeps_its_own_neighbours_and_a_shuffled_one_does_not() -> None:
    points = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    assert kept_share(points, points) == 1.0
    assert kept_share(np.random.default_rng(1).permutation(points), points) < 0.15


# ----------------------------------------------------------------------------------------------------------------------
# on disk


def test_a_map_is_read_as_it_was_written(tmp_path: Path, made: ImageMap) -> None:
    paths = IndexPaths(tmp_path)
    assert load_map(paths) is None
    save_map(paths, made)
    read = load_map(paths)
    assert read is not None
    assert (read.model, read.indexed, read.made_at) == (made.model, N, made.made_at)
    assert (read.rows == made.rows).all()
    assert all((read.layouts[name] == made.layouts[name]).all() for name in LAYOUTS)
    assert read.fits(made.model)
    assert not read.fits("another")
    assert [path.name for path in tmp_path.iterdir()] == ["map.npz"]


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "not a number", "pickled", "other shape", "without rows"])
def test_a_damaged_map_is_none(damage: str, tmp_path: Path, made: ImageMap) -> None:
    paths = IndexPaths(tmp_path)
    save_map(paths, made)
    with np.load(paths.map) as kept:
        parts = dict(kept)
    if damage == "not a number":
        parts[CODE_TSNE][3, 1] = np.nan
    elif damage == "pickled":
        parts["rows"] = np.array([{}], dtype=object)
    elif damage == "other shape":
        parts[PIXEL_TSNE] = parts[PIXEL_TSNE][1:]
    elif damage == "without rows":
        del parts["rows"]
    np.savez(paths.map, **parts)
    data = paths.map.read_bytes()
    paths.map.write_bytes({"cut": data[: len(data) // 2], "text": b"no map", "empty": b""}.get(damage, data))
    assert load_map(paths) is None


def test_erased_rows_leave_the_map(tmp_path: Path, made: ImageMap) -> None:
    paths = IndexPaths(tmp_path)
    save_map(paths, made)
    before = paths.map.read_bytes()
    erase_positions(paths, [N + 5])
    assert paths.map.read_bytes() == before
    erase_positions(paths, [4, 9])
    left = load_map(paths)
    assert left is not None
    assert left.rows.tolist() == [row for row in range(N) if row not in (4, 9)]
    assert (left.layouts[CODE_TSNE][4] == made.layouts[CODE_TSNE][5]).all()
    paths.map.write_bytes(b"damaged")
    erase_positions(paths, [4])
    assert not paths.map.exists()
