"""Two models on the same images, of which one is known to be better; with labels and without."""

from pathlib import Path

import numpy as np
import pytest
import torch

from imgsearch.autoencoder.card import SHIPPED
from imgsearch.autoencoder.checkpoint import load_checkpoint, save_checkpoint
from imgsearch.corpus.store import Corpus
from imgsearch.device import pick_device
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation.model_comparison import TOLERANCE, Comparison, ModelScore, compare_models
from tests.support.index import add_images, save_untrained_model, smooth_thumbnails

CPU = pick_device("cpu")
N = 40


def constant_model(folder: Path) -> Path:
    """The shipped network with a code layer that ignores its input: all codes are equal."""
    network, card = load_checkpoint(SHIPPED, torch.device("cpu"))
    with torch.no_grad():
        network.code_layer.weight.zero_()
        network.code_layer.bias.fill_(1.0)
    fields = {"training": {}, "metrics": {}, "code_size": 256, "steps": 0, "images_seen": 0, "seconds": 0.0}
    save_checkpoint(folder, network.state_dict(), network=card.network, device="none", **fields)
    return folder


@pytest.mark.parametrize("labelled", [False, True])
def test_a_model_whose_codes_are_all_equal_is_worse(tmp_path: Path, labelled: bool) -> None:
    paths = IndexPaths(tmp_path / "index")
    # All different, or ten noisy copies of each of four with one label.
    images = smooth_thumbnails(4).repeat(10, axis=0) if labelled else smooth_thumbnails(N)
    noise = np.random.default_rng(0).integers(-6, 7, images.shape)
    images = np.clip(images.astype(np.int64) + noise, 0, 255).astype(np.uint8)
    add_images(paths, images, [f"thing {row // 10}" for row in range(N)] if labelled else [])
    with Corpus.open(paths) as corpus:
        comparison = compare_models(SHIPPED, constant_model(tmp_path / "constant"), corpus, CPU)
        same = compare_models(SHIPPED, SHIPPED, corpus, CPU)
    assert comparison.is_worse
    assert not same.is_worse
    assert comparison.n_images == N
    assert comparison.before == same.before == same.after
    assert (comparison.before.precision is not None) == labelled
    assert len(comparison.lines()) == 1 + labelled


def test_an_image_is_no_neighbour_of_its_own(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path / "index")
    add_images(paths, smooth_thumbnails(6), ["even", "odd"] * 3)
    with Corpus.open(paths) as corpus:
        comparison = compare_models(SHIPPED, SHIPPED, corpus, CPU)
    assert comparison.before.precision == pytest.approx(2 / 5)  # all five others are near, and two have the label


def test_removed_images_are_not_compared(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path / "index")
    add_images(paths, smooth_thumbnails(N))
    save_untrained_model(paths)
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove(list(range(10)))
    with Corpus.open(paths) as corpus:
        assert compare_models(SHIPPED, paths.model, corpus, CPU).n_images == N - 10


@pytest.mark.parametrize(
    ("before", "after", "worse", "better"),
    [
        (0.5, 0.5, False, False),
        (0.5, 0.5 - TOLERANCE / 2, False, False),  # lower by chance, which is not worse
        (0.5, 0.5 - 1.5 * TOLERANCE, True, False),
        (0.5, 0.5 + TOLERANCE / 2, False, True),
        (0.5, 0.5 + 1.5 * TOLERANCE, False, True),
    ],
)
@pytest.mark.parametrize("recall", [0.0, 1.0])
def test_with_labels_precision_decides_and_recall_does_not(
    before: float, after: float, recall: float, worse: bool, better: bool
) -> None:
    comparison = Comparison(100, ModelScore("a", 0.5, before), ModelScore("b", recall, after))
    assert comparison.is_worse == worse
    assert comparison.is_better == better


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [(0.9, 0.9, False), (0.9, 0.9 - TOLERANCE / 2, False), (0.9, 0.9 - 1.5 * TOLERANCE, True), (0.9, 1.0, False)],
)
@pytest.mark.parametrize("precisions", [(None, None), (0.5, None), (None, 0.1)])
def test_without_labels_on_both_sides_recall_decides(
    before: float, after: float, worse: bool, precisions: tuple[float | None, float | None]
) -> None:
    comparison = Comparison(100, ModelScore("a", before, precisions[0]), ModelScore("b", after, precisions[1]))
    assert comparison.is_worse == worse
