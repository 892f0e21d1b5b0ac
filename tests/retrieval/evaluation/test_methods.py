"""The vectors of each method, on a small real index."""

from pathlib import Path

import numpy as np
import pytest
import torch

from imgsearch.corpus.store import Corpus
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation.methods import EVALUATED, EvaluatedMethod, build_methods, hog_vectors, row_vectors
from imgsearch.retrieval.index.ranking import METRICS, Database
from imgsearch.retrieval.search.searcher import Searcher
from tests.support.index import make_index, smooth_thumbnails

N = 50
ROWS = np.arange(N)


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> IndexPaths:
    return make_index(tmp_path_factory.mktemp("index"), smooth_thumbnails(N))


def methods(searcher: Searcher) -> dict[str, EvaluatedMethod]:
    return {method.name: method for method in build_methods(searcher)}


def test_every_method_gives_what_its_metric_takes(paths: IndexPaths) -> None:
    images = smooth_thumbnails(3, seed=9)
    with Searcher.open(paths, device="cpu") as searcher:
        built = methods(searcher)
        assert tuple(built) == EVALUATED
        assert len({method.title for method in built.values()}) == len(EVALUATED)
        for method in built.values():
            assert method.metric in METRICS
            stored = row_vectors(method, searcher, ROWS)
            vectors = method.vectors(images)
            assert (len(stored), len(vectors)) == (N, 3)
            assert stored.shape[1:] == vectors.shape[1:]
            assert Database.of(stored, method.metric).distances(vectors).shape == (3, N)


def test_a_stored_row_lies_on_its_own_thumbnail(paths: IndexPaths) -> None:
    """Whether it comes from the index or is made anew."""
    with Searcher.open(paths, device="cpu") as searcher:
        for method in build_methods(searcher):
            database = Database.of(row_vectors(method, searcher, ROWS), method.metric)
            distances = database.distances(method.vectors(smooth_thumbnails(N)[:7]))
            assert (distances[np.arange(7), np.arange(7)] <= distances.min(axis=1) + 1e-5).all(), method.name


def test_the_metrics_and_sizes(paths: IndexPaths) -> None:
    with Searcher.open(paths, device="cpu") as searcher:
        built = methods(searcher)
        sizes = {name: method.vectors(smooth_thumbnails(2)).shape[1] for name, method in built.items()}
    assert sizes == {
        "pixel": 3072,
        "pca": N // 4,
        "pca-white": N // 4,
        "hog": 576,
        "untrained": 256,
        "code": 256,
        "binary": 32,
        "short": 4,
    }
    assert {name: method.metric for name, method in built.items()} == {
        "pixel": "l2",
        "pca": "l2",
        "pca-white": "cosine",
        "hog": "cosine",
        "untrained": "cosine",
        "code": "cosine",
        "binary": "hamming",
        "short": "hamming",
    }


def test_a_few_methods_can_be_had_alone(paths: IndexPaths) -> None:
    with Searcher.open(paths, device="cpu") as searcher:
        assert [method.name for method in build_methods(searcher, names=("code", "pca"))] == ["code", "pca"]


def test_components_are_of_the_rows_that_can_be_found(tmp_path: Path) -> None:
    thumbnails = smooth_thumbnails(N)
    paths = make_index(tmp_path, thumbnails)
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove([0, 1])
    with Searcher.open(paths, device="cpu") as searcher:
        (default,) = build_methods(searcher, names=("pca",))
        (chosen,) = build_methods(searcher, names=("pca",), rows=np.arange(2, N))
        assert default.vectors(thumbnails) == pytest.approx(chosen.vectors(thumbnails), abs=1e-5)
        assert chosen.title.startswith("12 principal components")


def test_the_untrained_network_is_reproducible_and_changes_no_global_seed(paths: IndexPaths) -> None:
    images = smooth_thumbnails(4)
    with Searcher.open(paths, device="cpu") as searcher:
        torch.manual_seed(5)
        expected = torch.rand(1)
        torch.manual_seed(5)
        first, second = (methods(searcher)["untrained"].vectors(images) for _ in range(2))
        assert torch.rand(1) == expected
    assert np.array_equal(first, second)


def test_hog_sees_edges_and_not_colours() -> None:
    edge = np.zeros((1, 32, 32, 3), np.uint8)
    edge[:, :, 14:] = (200, 30, 30)
    recoloured, turned = edge[..., ::-1], edge.transpose(0, 2, 1, 3)
    of_edge, of_recoloured, of_turned = hog_vectors(edge), hog_vectors(recoloured), hog_vectors(turned)
    assert of_edge == pytest.approx(of_recoloured)
    assert float((of_edge * of_turned).sum()) < 0.5
    assert np.linalg.norm(of_edge) == pytest.approx(1, abs=1e-3)
    assert not hog_vectors(np.full((1, 32, 32, 3), 9, np.uint8)).any()


def test_progress_is_reported_where_vectors_are_computed(paths: IndexPaths) -> None:
    reported: list[tuple[int, int]] = []
    with Searcher.open(paths, device="cpu") as searcher:
        (pixel,) = build_methods(searcher, names=("pixel",))
        row_vectors(pixel, searcher, ROWS[:20], lambda *done: reported.append(done))
    assert reported == [(20, 20)]
