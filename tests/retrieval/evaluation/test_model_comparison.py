"""Two models on the same images: the better one is known, with labels and without."""

from pathlib import Path

import numpy as np
import pytest
import torch

from imgsearch.autoencoder.card import SHIPPED
from imgsearch.autoencoder.checkpoint import load_checkpoint, save_checkpoint
from imgsearch.corpus.store import Corpus
from imgsearch.device import pick_device
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation.model_comparison import Comparison, Quality, compare_models
from tests.support.index import add_images, save_untrained_model, smooth_thumbnails

CPU = pick_device("cpu")
N = 40


def deaf_model(folder: Path) -> Path:
    """The shipped network with a code layer that hears nothing: every code is the same."""
    network, card = load_checkpoint(SHIPPED, torch.device("cpu"))
    with torch.no_grad():
        network.code_layer.weight.zero_()
        network.code_layer.bias.fill_(1.0)
    fields = {"training": {}, "metrics": {}, "code_size": 256, "steps": 0, "images_seen": 0, "seconds": 0.0}
    save_checkpoint(folder, network.state_dict(), network=card.network, device="none", **fields)
    return folder


@pytest.mark.parametrize("labelled", [False, True])
def test_a_model_that_tells_nothing_apart_is_worse(tmp_path: Path, labelled: bool) -> None:
    paths = IndexPaths(tmp_path / "index")
    # All different, or ten noisy copies of each of four with one label.
    images = smooth_thumbnails(4).repeat(10, axis=0) if labelled else smooth_thumbnails(N)
    noise = np.random.default_rng(0).integers(-6, 7, images.shape)
    images = np.clip(images.astype(np.int64) + noise, 0, 255).astype(np.uint8)
    add_images(paths, images, [f"thing {row // 10}" for row in range(N)] if labelled else [])
    with Corpus.open(paths) as corpus:
        comparison = compare_models(SHIPPED, deaf_model(tmp_path / "deaf"), corpus, CPU)
        same = compare_models(SHIPPED, SHIPPED, corpus, CPU)
    assert comparison.is_worse
    assert not same.is_worse
    assert comparison.n_images == N
    assert comparison.before == same.before == same.after
    assert (comparison.before.precision is not None) == labelled
    assert len(comparison.lines()) == 1 + labelled


def test_removed_images_are_not_asked(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path / "index")
    add_images(paths, smooth_thumbnails(N))
    save_untrained_model(paths)
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove(list(range(10)))
    with Corpus.open(paths) as corpus:
        assert compare_models(SHIPPED, paths.model, corpus, CPU).n_images == N - 10


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ((0.9, None), (0.895, None), False),  # within what chance does
        ((0.9, None), (0.85, None), True),
        ((0.9, 0.4), (0.85, 0.5), False),  # labels say what is to be found
        ((0.9, 0.5), (0.95, 0.4), True),
        ((0.9, 0.5), (0.9, 0.495), False),  # within what chance does, by labels too
        ((0.9, 0.5), (0.9, 0.485), True),
    ],
)
def test_worse_is_decided_by_labels_where_there_are_some(
    before: tuple[float, float | None], after: tuple[float, float | None], worse: bool
) -> None:
    assert Comparison(100, Quality("a", *before), Quality("b", *after)).is_worse == worse
