"""Three ways to undo pooling, at the small size, and the measures on known codes."""

import numpy as np
import pytest

from imgsearch.autoencoder.networks.config import UNPOOLINGS
from imgsearch.device import pick_device
from imgsearch.lab.experiments.unpooling import linear_error, pictures_of
from imgsearch.lab.finding import Finding, Lab
from imgsearch.lab.registry import run_experiment
from imgsearch.paths import IndexPaths
from imgsearch.progress import silent
from tests.support.toy_images import toy_thumbnails


@pytest.fixture(scope="module", name="lab")
def a_small_lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    paths = IndexPaths(tmp_path_factory.mktemp("lab"))
    return Lab(paths, "small", pick_device("cpu"), None, 0, silent, lambda: False)


@pytest.fixture(scope="module", name="finding")
def what_is_found(lab: Lab) -> Finding:
    return run_experiment("unpool", lab)


@pytest.mark.slow
def test_switches_reconstruct_best(finding: Finding) -> None:
    errors = {name: each["error"] for name, each in finding.figures["unpoolings"].items()}
    assert min(errors, key=lambda name: errors[name]) == "switches"
    assert "Switches reconstructs best" in finding.conclusion


@pytest.mark.slow
def test_switches_determine_the_image_more_than_the_code_does(finding: Finding) -> None:
    swapped, error = finding.figures["swapped"], finding.figures["unpoolings"]["switches"]["error"]
    assert error < swapped["code_of_another"] < swapped["switches_of_another"]


@pytest.mark.slow
def test_with_switches_the_code_contains_least_and_finds_the_fewest_copies(finding: Finding) -> None:
    figures = finding.figures["unpoolings"]
    assert max(figures, key=lambda name: figures[name]["linear_error"]) == "switches"
    assert min(figures, key=lambda name: figures[name]["recall@1"]) == "switches"


@pytest.mark.slow
def test_all_three_have_the_same_measures(finding: Finding) -> None:
    assert [line[0] for line in finding.lines] == list(UNPOOLINGS)
    for name in UNPOOLINGS:
        figures = finding.figures["unpoolings"][name]
        assert figures["p@10"] > 0.3  # ten digits: 0.1 by chance
        assert 0.02 < figures["linear_error"] < 0.2  # of pixels whose variance is 0.13
    assert finding.picture.startswith(b"\x89PNG")


@pytest.mark.slow
def test_digits_are_used_where_there_is_no_corpus(lab: Lab) -> None:
    pictures = pictures_of(lab)
    assert "fewer than 200 images" in pictures.sentence
    assert pictures.images.shape == (400, 32, 32, 3)
    assert (pictures.images == pictures.images[..., :1]).all()  # grey
    assert pictures.labels is not None
    assert len(pictures.training) + len(pictures.test) == 400


def test_the_linear_prediction_is_exact_for_linear_codes_and_else_the_mean() -> None:
    images = toy_thumbnails(300)
    flat = images.reshape(300, -1) / 255
    _, _, directions = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    rng = np.random.default_rng(0)
    codes = {
        "principal": ((flat - flat.mean(0)) @ directions[:40].T).astype(np.float32),
        "noise": rng.standard_normal((300, 4)).astype(np.float32),
    }
    errors = {name: linear_error(code[:200], images[:200], code[200:], images[200:]) for name, code in codes.items()}
    mean_error = float(np.square(flat[200:] - flat[:200].mean(0)).mean())
    assert errors["principal"] < 0.3 * mean_error
    assert errors["noise"] == pytest.approx(mean_error, rel=0.1)
