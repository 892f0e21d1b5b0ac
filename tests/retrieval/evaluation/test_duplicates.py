"""Copies of an image, exact and nearly so."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from imgsearch.retrieval.evaluation import duplicates as duplicates_module
from imgsearch.retrieval.evaluation.duplicates import details, exact_duplicates, near_duplicates
from tests.support.index import smooth_thumbnails

OUTSIDE = np.full(4, -1)


def test_exact_duplicates_are_other_images_with_the_same_pixels() -> None:
    database = smooth_thumbnails(10)
    database[7] = database[2]
    positions = np.array([1, 2, 7, -1])
    queries = np.concatenate([database[[1, 2, 7]], database[3:4]])
    assert exact_duplicates(queries, positions, database).tolist() == [False, True, True, True]
    queries[3, 0, 0, 0] ^= 1
    assert exact_duplicates(queries, positions, database).tolist() == [False, True, True, False]


def changed(thumbnail: np.ndarray, factor: float) -> np.ndarray:
    picture = ImageEnhance.Contrast(Image.fromarray(thumbnail)).enhance(factor)
    return np.asarray(ImageEnhance.Brightness(picture).enhance(1.1))


@pytest.mark.parametrize("block", [4096, 3])
def test_near_duplicates_are_changed_copies(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates_module, "IMAGE_BLOCK", block)
    database = smooth_thumbnails(12)
    queries = np.stack([changed(database[5], 0.8), changed(database[0], 1.2), *smooth_thumbnails(2, seed=4)])
    assert near_duplicates(queries, OUTSIDE, database).tolist() == [True, True, False, False]


def test_an_image_is_no_duplicate_of_itself() -> None:
    database = smooth_thumbnails(12)
    database[9] = changed(database[4], 0.9)
    assert near_duplicates(database, np.arange(12), database).tolist() == [row in (4, 9) for row in range(12)]


def test_plain_images_have_no_details_and_no_near_duplicates() -> None:
    plain = np.stack([np.full((32, 32, 3), value, np.uint8) for value in (10, 12, 200, 255)])
    assert not details(plain).any()
    assert not near_duplicates(plain, OUTSIDE, plain).any()


def test_two_images_of_one_sky_are_no_duplicates() -> None:
    """A smooth background makes pixels similar, but not details."""
    sky = np.linspace(90, 200, 32).astype(np.uint8)[:, None, None].repeat(32, 1).repeat(3, 2)
    bird, kite = sky.copy(), sky.copy()
    bird[10:13, 4:12], kite[18:26, 20:24] = 30, 20
    assert np.abs(bird.astype(int) - kite).mean() < 10
    assert not near_duplicates(bird[None], OUTSIDE[:1], kite[None]).any()
    assert near_duplicates((bird // 2 + 50)[None], OUTSIDE[:1], bird[None]).all()
