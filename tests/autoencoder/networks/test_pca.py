from pathlib import Path

import numpy as np
import pytest
import torch

from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.encode import encode_images, reconstruct
from imgsearch.autoencoder.networks.config import PcaConfig
from imgsearch.autoencoder.training.train import example_components, train
from imgsearch.device import pick_device
from imgsearch.paths import IndexPaths
from tests.support.toy_images import toy_thumbnails

CPU = pick_device("cpu")
VECTORS = np.random.default_rng(0).random((200, 6)).astype(np.float32) @ np.random.default_rng(1).random(
    (6, 30), np.float32
)
ROWS = np.arange(200)


def test_components_of_examples_are_those_of_the_values_that_networks_see() -> None:
    images = toy_thumbnails(20)
    found = example_components(images, np.arange(3, 20), 4)
    flat = images[3:].transpose(0, 3, 1, 2).reshape(17, -1) / 255
    _, singular, directions = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    assert np.allclose(found.mean, flat.mean(0))
    assert np.allclose(found.variances, singular[:4] ** 2 / 17, rtol=1e-4)
    assert np.allclose(np.abs((found.directions * directions[:4]).sum(1)), 1, atol=1e-4)


def test_few_and_many_examples_have_the_same_directions() -> None:
    rows = np.arange(200)  # more than VECTORS has values, fewer than `wide` has
    wide = np.concatenate([VECTORS, np.zeros((200, 270), np.float32)], axis=1)
    many, few = (
        example_components(VECTORS, rows, 4),
        example_components(wide, rows, 4),
    )
    assert np.allclose(few.mean[:30], many.mean, atol=1e-6)
    assert np.allclose(few.directions[:, :30], many.directions, atol=1e-4)


def test_it_is_fitted_exactly_in_no_step(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    vectors = VECTORS / VECTORS.max()
    config = TrainConfig(network=PcaConfig(4, (30,)), objective=(("reconstruct", 1.0),), validation_share=0.02)
    card = train(vectors, ROWS, paths, config, device=CPU)
    network, _ = load_checkpoint(paths.model, CPU.device)
    assert (card.metric, card.code_size, card.training["finished"]) == ("l2", 4, True)
    assert not (paths.training / "state.pt").exists()
    assert list(paths.training.glob("state*")) == []

    trained = np.array(sorted(set(ROWS.tolist())))
    centred = vectors[trained] - vectors[trained].mean(0)
    _, deviations, _ = np.linalg.svd(centred, full_matrices=False)
    left = (deviations[4:] ** 2).sum() / len(trained)  # squared error of the best reconstruction from four directions
    errors = np.square(reconstruct(network, vectors, CPU) - vectors).sum(1)
    assert errors.mean() == pytest.approx(left, rel=0.1)  # the model was not fitted to the validation rows
    assert encode_images(network, vectors, CPU).std(0)[0] > encode_images(network, vectors, CPU).std(0)[3]


def test_more_numbers_than_values_are_nothing(tmp_path: Path) -> None:
    vectors = VECTORS[:, :5] / VECTORS.max()
    config = TrainConfig(network=PcaConfig(8, (5,)), objective=(("reconstruct", 1.0),))
    train(vectors, ROWS, IndexPaths(tmp_path), config, device=CPU)
    network, _ = load_checkpoint(tmp_path / "model", CPU.device)
    codes = encode_images(network, vectors, CPU)
    assert np.all(codes[:, 5:] == 0)
    assert np.allclose(reconstruct(network, vectors, CPU), vectors, atol=0.01)
    assert torch.isfinite(torch.from_numpy(codes)).all()
