"""Images from new codes, at the small size: of digits alone, and of a corpus."""

from pathlib import Path

import numpy as np
import pytest

from imgsearch.device import pick_device
from imgsearch.lab.drawing import montage
from imgsearch.lab.experiments.generation import GAUSSIAN, HALFWAY, IMAGES, plane_of
from imgsearch.lab.finding import Lab
from imgsearch.lab.registry import run_experiment
from imgsearch.paths import IndexPaths
from imgsearch.progress import silent
from tests.support.index import add_images, smooth_thumbnails


def a_lab(paths: IndexPaths) -> Lab:
    return Lab(paths, "small", pick_device("cpu"), None, 0, silent, lambda: False)


@pytest.mark.slow
def test_most_digits_have_a_place_on_the_plane_of_two_numbers(tmp_path: Path) -> None:
    finding = run_experiment("generate", a_lab(IndexPaths(tmp_path)))
    assert finding.figures["digits"] == 10
    assert finding.figures["digits_on_the_plane"] >= 7
    assert finding.figures["corpus"] == {}
    assert "no corpus" in finding.data
    assert finding.picture.startswith(b"\x89PNG")


@pytest.mark.slow
def test_pictures_are_drawn_by_the_corpus_model(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    add_images(paths, smooth_thumbnails(60))
    corpus = run_experiment("generate", a_lab(paths)).figures["corpus"]
    # With the shipped model, images decoded from codes of images have nearly the same codes; others less so.
    assert corpus[IMAGES]["likeness"] > max(corpus[HALFWAY]["likeness"], corpus[GAUSSIAN]["likeness"])
    assert corpus[IMAGES]["likeness"] > 0.3
    near, far = (each["contrast"] for name, each in corpus.items() if name.startswith("around"))
    assert far > near  # the farther from the image, the stronger


def test_the_plane_spans_the_codes_and_gives_dense_regions_more_space() -> None:
    codes = np.random.default_rng(0).uniform((-1, 10), (3, 20), (5000, 2)).astype(np.float32)
    places = plane_of(codes, 3).reshape(3, 3, 2)
    assert places[0, 0] == pytest.approx([-0.96, 19.9], abs=0.1)  # upper left
    assert places[2, 2] == pytest.approx([2.96, 10.1], abs=0.1)  # lower right
    assert places[1, 1] == pytest.approx([1, 15], abs=0.1)
    crowded = np.concatenate([codes, codes[:1] + np.zeros((20_000, 2), np.float32)])
    assert plane_of(crowded, 3)[4] == pytest.approx(codes[0])


def test_a_montage_puts_images_side_by_side() -> None:
    images = np.arange(2 * 3 * 4 * 5 * 3).reshape(2, 3, 4, 5, 3)
    whole = montage(images)
    assert whole.shape == (8, 15, 3)
    assert np.array_equal(whole[4:, 5:10], images[1, 1])
    assert np.array_equal(montage(images[..., 0]), whole[..., 0])
