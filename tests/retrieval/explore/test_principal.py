"""Principal components against numpy's own singular values."""

import numpy as np
import pytest

from imgsearch.retrieval.explore.principal import PrincipalComponents
from tests.support.toy_images import toy_thumbnails


def test_components_are_those_of_the_singular_value_decomposition() -> None:
    thumbnails = toy_thumbnails(120)
    pixels = thumbnails.reshape(120, -1) / 255
    pixels -= pixels.mean(axis=0)
    _, singular, directions = np.linalg.svd(pixels, full_matrices=False)
    fitted = PrincipalComponents.of(thumbnails)
    assert fitted.n_components == 30  # a quarter of the images
    assert fitted.deviations == pytest.approx(singular[:30] / np.sqrt(120), rel=1e-3)
    assert np.abs(np.sum(fitted.directions.T * directions[:30], axis=1)) == pytest.approx(np.ones(30), abs=1e-2)
    assert np.abs(fitted.project(thumbnails)) == pytest.approx(np.abs(pixels @ directions[:30].T), abs=0.05)


def test_whitened_components_all_vary_alike() -> None:
    thumbnails = toy_thumbnails(120)
    whitened = PrincipalComponents.of(thumbnails).whiten(thumbnails)
    assert whitened.dtype == np.float32
    assert whitened.T @ whitened / 120 == pytest.approx(np.eye(30), abs=1e-2)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_images_that_are_all_alike_have_no_components(n: int) -> None:
    thumbnails = np.full((n, 32, 32, 3), 77, np.uint8)
    fitted = PrincipalComponents.of(thumbnails)
    assert fitted.n_components == 0
    assert fitted.whiten(thumbnails).shape == (n, 0)


def test_more_images_than_values_give_the_same_as_few() -> None:
    """The other way of taking the pixels apart: here the images are repeated until they outnumber the pixel values."""
    thumbnails = toy_thumbnails(40)[:, ::8, ::8]  # (40, 4, 4, 3): 48 values
    few, many = PrincipalComponents.of(thumbnails), PrincipalComponents.of(np.tile(thumbnails, (3, 1, 1, 1)))
    assert many.n_components > few.n_components == 10
    assert many.deviations[:10] == pytest.approx(few.deviations, rel=1e-3)
    assert np.abs(many.project(thumbnails)[:, :10]) == pytest.approx(np.abs(few.project(thumbnails)), abs=1e-2)
