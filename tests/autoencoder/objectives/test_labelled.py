"""Learning from labels: how the class head begins, its loss, what is refused, and the decoder afterwards."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.data.labelled import FEWEST_JUDGING, Labelled
from imgsearch.autoencoder.encode import encode_images
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.config import DenseConfig, LadderConfig, PcaConfig
from imgsearch.autoencoder.networks.dense import DenseAutoencoder
from imgsearch.autoencoder.networks.ladder import LadderAutoencoder
from imgsearch.autoencoder.networks.pca import PcaAutoencoder
from imgsearch.autoencoder.objectives.base import Batch
from imgsearch.autoencoder.objectives.labelled import TEMPERATURE, ClassHead, classify, new_class_head
from imgsearch.autoencoder.objectives.registry import Objective
from imgsearch.autoencoder.training.train import train
from imgsearch.device import pick_device
from imgsearch.errors import ModelError
from imgsearch.paths import IndexPaths

CPU = pick_device("cpu")
N, D = 240, 24


def clusters(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(N, D) float32 in three clusters that are close beside noise in other dimensions, and the cluster of each."""
    rng = np.random.default_rng(seed)
    labels = np.arange(N) % 3
    vectors = rng.uniform(0, 1, (N, D)).astype(np.float32)
    vectors[:, :3] = 0.5 + 0.3 * np.eye(3)[labels] + rng.normal(0, 0.05, (N, 3))
    return vectors.clip(0, 1), labels.astype(np.int64)


def precision(network: Autoencoder, vectors: np.ndarray, labels: np.ndarray) -> float:
    codes = encode_images(network, vectors, CPU)
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    nearest = np.argsort(-(codes @ codes.T), axis=1)[:, 1:11]
    return float((labels[nearest] == labels[:, None]).mean())


def test_a_class_head_begins_with_the_mean_direction_of_each_class() -> None:
    network = DenseAutoencoder(DenseConfig((D, 8))).eval()
    vectors, labels = (torch.from_numpy(part) for part in clusters())
    head = new_class_head(network, vectors, labels, 4)
    weight, codes = head.directions.weight, torch.nn.functional.normalize(network.encode(vectors), dim=1)
    for label in range(3):
        assert torch.allclose(weight[label], codes[labels == label].sum(0), atol=1e-4)
    assert weight[3].abs().sum() > 0  # a class without examples
    batch, config = Batch(vectors, torch.Generator(), vectors, labels), TrainConfig()
    at_first = classify(network, batch, config, head)["loss"]
    assert at_first < math.log(4)
    with torch.no_grad():
        weight[:3] = weight[:3].roll(1, 0)
    assert classify(network, batch, config, head)["loss"] > at_first


def test_the_loss_is_the_softmax_of_the_cosines() -> None:
    network, head = DenseAutoencoder(DenseConfig((2, 2))), ClassHead(2, 2)
    with torch.no_grad():
        network.code_layer.weight.copy_(torch.eye(2))
        network.code_layer.bias.zero_()
        head.directions.weight.copy_(torch.tensor([[5.0, 0.0], [0.0, 0.1]]))  # lengths do not count
    labelled = Batch(torch.zeros(1, 2), torch.Generator(), torch.tensor([[3.0, 4.0]]), torch.tensor([1]))
    expected = math.log(1 + math.exp((0.6 - 0.8) / TEMPERATURE))
    assert classify(network, labelled, TrainConfig(), head)["loss"].item() == pytest.approx(expected, rel=1e-5)
    assert classify(network, Batch(torch.zeros(1, 2), torch.Generator()), TrainConfig(), head)["loss"].item() == 0


def test_codes_of_unlabelled_examples_move_to_their_class(tmp_path: Path) -> None:
    vectors, labels = clusters()
    shown = np.where(np.arange(N) < 120, labels, -1)
    paths = IndexPaths(tmp_path)
    start = TrainConfig(epochs=2, batch_size=32, objective=(("reconstruct", 1.0),), network=DenseConfig((D, 32, 8)))
    train(vectors, np.arange(N), paths, start, device=CPU)
    before, _ = load_checkpoint(paths.model, CPU.device)
    config = TrainConfig(epochs=40, batch_size=32, fine_tuning=1.0, objective=(("classify", 1.0),))
    card = train(vectors, np.arange(N), paths, config, labels=shown, init_from=paths.model, device=CPU)
    after, _ = load_checkpoint(paths.model, CPU.device)
    asking = slice(120, None)
    assert precision(after, vectors[asking], labels[asking]) > precision(before, vectors[asking], labels[asking]) + 0.15
    assert card.training["objective"] == [["classify", 1.0]]
    assert not any("head" in name or "directions" in name for name in after.state_dict())


def test_an_interrupted_run_is_resumed_only_with_the_same_labels(tmp_path: Path) -> None:
    vectors, labels = clusters()
    config = TrainConfig(epochs=4, batch_size=32, objective=(("classify", 1.0),), network=DenseConfig((D, 8)))
    paths, steps = IndexPaths(tmp_path), iter(range(100))

    def run(labels: np.ndarray, *, whole: bool) -> str:
        return train(
            vectors,
            np.arange(N),
            paths,
            config,
            labels=labels,
            device=CPU,
            stop=lambda: not whole and next(steps) % 5 == 4,
        ).note

    run(labels, whole=False)
    assert "the labels changed" in run(1 - labels.clip(0, 1), whole=False)
    assert "Resumed an interrupted run at step" in run(1 - labels.clip(0, 1), whole=True)


def test_labels_validate_where_there_are_enough_and_otherwise_all_are_learned() -> None:
    examples = np.zeros((100, 4), np.float32)
    training, validation = np.arange(60), np.arange(60, 100)
    every = Labelled.split(examples, training, validation, np.zeros(100, np.int64))
    assert [len(part) for part in every] == [60, 40]
    few = np.full(100, -1)
    few[[3, 50, 60]] = 1
    learned, judging = Labelled.split(examples, training, validation, few)
    assert learned.rows.tolist() == [3, 50, 60]
    assert sorted(judging.rows.tolist()) == [3, 50, 60]
    assert FEWEST_JUDGING > 3
    assert [len(part) for part in Labelled.split(examples, training, validation, None)] == [0, 0]


@pytest.mark.parametrize(
    ("network", "term", "n_classes", "said"),
    [
        (DenseAutoencoder(DenseConfig((D, 8))), "classify", 0, "at least two classes"),
        (DenseAutoencoder(DenseConfig((D, 8))), "classify", 1, "at least two classes"),
        (PcaAutoencoder(PcaConfig(3, (D,))), "classify", 3, "formula"),
        (DenseAutoencoder(DenseConfig((D, 8))), "ladder", 3, "needs a ladder network"),
        (LadderAutoencoder(LadderConfig((D, 8, 2))), "ladder", 3, "distinguishes 2 classes"),
    ],
)
def test_what_cannot_learn_labels_is_refused(network: Autoencoder, term: str, n_classes: int, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        Objective(TrainConfig(objective=((term, 1.0),))).check(network, n_classes)


def test_the_decoder_learns_to_read_the_new_codes(tmp_path: Path) -> None:
    """Labels alone do not train the decoder: the decoder phase does, and the best checkpoint comes from it."""
    vectors, labels = clusters()
    paths = IndexPaths(tmp_path)
    config = TrainConfig(epochs=20, batch_size=32, objective=(("reconstruct", 1.0),), network=DenseConfig((D, 32, 8)))
    train(vectors, np.arange(N), paths, config, device=CPU)
    errors = {}
    for share in (0.0, 0.5):
        config = TrainConfig(
            epochs=50, batch_size=32, fine_tuning=1.0, objective=(("classify", 1.0),), decoder_phase=share, seed=1
        )
        into = tmp_path / str(share)
        card = train(vectors, np.arange(N), paths, config, labels=labels, init_from=paths.model, into=into, device=CPU)
        errors[share] = card.metrics["reconstruction"]
    assert errors[0.5] < 0.95 * errors[0.0]
